"""How each family makes a sample out of a picture: one file a family, nothing else."""
