"""The nouns and pure rules of the workbench; imports nothing of ours from other rooms.

`flow`, `pack`, `run`, `waits`, `effect`, `events`, `findings` are frozen values. `rules.decide`
holds every transition of a run, `state.fold` what a run knows, `journal` the protocol of a store.
"""
