"""The screen: Textual over the session. It renders view models made from events and queries, and
every key is one session method.

`app` holds the application, `screens/` what a person sees, `widgets/` the pieces, `actions` the
one table of keys, `run_model` what a screen knows of a run, `bridge` the thirty-times-a-second
drain of the stream.
"""
