"""BoringSSL's TLS test suite, BoGo, against pqdc's endpoints: `make bogo`, or `python -m tests.bogo --help`.

`build` makes the runner, `campaign` runs it, `zygote` and `client.c` are the program that the runner starts for each
test, `arguments` and `shim` are what that does with pqdc. What is not run, and why, stands in config.json.
"""
