"""Other people's formats: tables of weight names and settings, applied in memory; reading and writing is elsewhere."""

__all__: list[str] = []
