"""The engine: one step of a flow, and the loop, gate and retries around it.

It knows no store, no pack file and no WebAssembly: it gets a definition, a journal and a
controller chain. `step.Stepper` advances one node, `run_loop.RunLoop` drives a run,
`debugger.Debugger` is the gate, `observer.Observer` is who gets told.
"""
