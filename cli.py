"""Run ladtl from a source checkout: ``python cli.py train --demo``."""

from ladtl_np.commands import main

if __name__ == "__main__":
    main()
