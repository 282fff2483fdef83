"""``python -m isogloss`` is the command line, for torchrun and for checkouts without an installed script."""

from isogloss.cli import main

if __name__ == "__main__":
    main()
