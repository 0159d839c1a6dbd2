"""File formats that steps read and write, with the habits of the Java libraries that Jenkins uses for them."""
