"""Stage `cost`: parameters and operations of a system, counted; its time, memory and energy, measured."""
