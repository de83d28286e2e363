"""The pages of the console, one file each: a file names its ADDRESSES, and nobody edits a list."""
