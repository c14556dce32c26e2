"""BoringSSL's TLS test suite, BoGo, against pqdc's endpoints: `make bogo`, or `python -m tests.bogo --help`.

`campaign` runs the runners that native/build_bogo.py makes. `zygote` and `client.c` are the program that they start for
each test; `arguments`, `endpoints`, `shim` are what that does with pqdc. What is not run, and why: config.json.
`overlay` and `minted` are tests of ours, about credentials; `faults` shows that what is wrong is found.
"""
