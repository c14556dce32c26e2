"""Coverage-guided fuzzing of everything that reads bytes: `make fuzz`, or `python -m tests.fuzz TARGET [FILE]`.

`targets` says what must hold; `__main__` lets atheris (the extra `fuzz`) look for bytes for which it does not.
"""
