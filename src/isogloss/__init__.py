"""isogloss: build, train, transfer, measure and serve XLM-R style cross-lingual encoders."""
