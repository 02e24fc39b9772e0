"""What a file says of its picture beside the pixels: read, kept, written again."""
