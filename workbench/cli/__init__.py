"""The face without a screen: every command over the same session facade as the app.

`main.main` reads the command line; `packs`, `runs` and `waits` hold the commands; `debug` steps in
plain lines. With `--json` a command prints one document on stdout and people's text on stderr.
"""
