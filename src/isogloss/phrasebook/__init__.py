"""The phrasebook: original everyday sentences in the languages of XNLI, from a grammar of our own."""
