"""Recording: what a run leaves on disk for people and for other tools.

`transcript.Transcript` appends `transcript.jsonl`; `run_summary` owns the run's folder and writes
`run.json` and the nodes' logs; `line_index` reads large transcripts back by byte offset.
"""
