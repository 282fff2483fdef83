"""Other people's formats: their names and settings, and the files these lie in; whole folders are read elsewhere."""

__all__: list[str] = []
