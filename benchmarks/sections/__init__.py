"""README's sections of results, each from the file that its benchmark wrote."""
