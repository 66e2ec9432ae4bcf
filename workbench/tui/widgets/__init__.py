"""Self-contained widgets: each takes model values and posts messages; none knows the session.

The panes that may grow or be long (`transcript`, `rail`, `json_view`) are line-API views over
`line_view`. User text reaches the screen as plain segments, never as markup.
"""
