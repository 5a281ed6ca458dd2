"""What is learned together, one file each."""
