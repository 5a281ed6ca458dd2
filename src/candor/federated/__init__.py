"""Training by many clients who keep their data: partitions, rules, engines, faults, and a history of all of it."""
