"""What one rank of a distributed run does, whoever started it: rows, steps, checkpoints."""
