"""Shared objects with NIST's call interface, each in a process of its own: experimental code may crash, hang or lie.

`process` starts a child (`worker`) for each library and talks to it (`frames`); `binding` and `buffers` are what the
child calls the library with; `proof` finds out how it wants to be called, and whether it tells the truth; `engine` is
what the backend uses then. `companion` is a little C: `randombytes` where the library lacks it, and the timing loop.
"""
