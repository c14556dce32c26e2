"""What is tested, one file a theme: each gives groups of vectors, with what they must lead to written by hand."""
