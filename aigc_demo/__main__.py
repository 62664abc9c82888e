"""`python -m aigc_demo`."""

from aigc_demo.cli import main

if __name__ == "__main__":
    main()
