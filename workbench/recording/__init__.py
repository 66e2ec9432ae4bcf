"""Recording: what a run leaves on disk for people and for other tools.

`run_directory` owns the run's folder and the nodes' logs in it. `transcript.Transcript` appends
`transcript.jsonl`, `run_summary` writes `run.json`, `line_index` reads large transcripts back by
byte offset.
"""
