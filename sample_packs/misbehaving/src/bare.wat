;; broken.bare: traps, or asks for memory until it is refused and then dies as a Rust component
;; does, in its allocator's error handler and without a word. By hand, because a trace shows the
;; names of functions only when the module keeps them.
;; name: broken.bare
;; shell: node-v05
(module $bare
  (memory (export "memory") 2)
  (global $top (mut i32) (i32.const 65536))
  (data (i32.const 1024)
    "{\"name\":\"broken.bare\",\"version\":\"0.1.0\","
    "\"operations\":[{\"name\":\"eat\"},{\"name\":\"trap\"}]}")

  (func $total_of_order (call $require_a_line) (unreachable))
  (func $require_a_line (unreachable))

  ;; Twice as much every time, so that a host's limit is near after a dozen steps.
  (func $eat (local $pages i32)
    (local.set $pages (i32.const 1))
    (loop $more
      (if (i32.eq (memory.grow (local.get $pages)) (i32.const -1))
        (then (call $handle_alloc_error)))
      (local.set $pages (i32.shl (local.get $pages) (i32.const 1)))
      (br $more)))
  (func $handle_alloc_error (unreachable))

  ;; What every node has to export. A record's address is the result: (pointer, length) at 16 for
  ;; the manifest, zeros at 0 for "ok" and for an empty list.
  (func (export "cm32p2|greentic:component/node@0.5|get-manifest") (result i32)
    (i32.store (i32.const 16) (i32.const 1024))
    (i32.store (i32.const 20) (i32.const 86))
    (i32.const 16))
  (func (export "cm32p2|greentic:component/node@0.5|on-start") (param i32) (result i32)
    (i32.const 0))
  (func (export "cm32p2|greentic:component/node@0.5|on-stop") (param i32) (result i32)
    (i32.const 0))
  (func $invoke (export "cm32p2|greentic:component/node@0.5|invoke")
      (param $args i32) (result i32)
    ;; The operation's text is at 136 of the arguments; its first letter tells.
    (if (i32.eq (i32.load8_u (i32.load offset=136 (local.get $args))) (i32.const 101)) ;; e
      (then (call $eat))
      (else (call $total_of_order)))
    (unreachable))
  (func (export "cm32p2|greentic:component/node@0.5|invoke-stream") (param i32) (result i32)
    (i32.store (i32.const 24) (i32.const 8))
    (i32.const 24))
  (func (export "cm32p2|greentic:component/node@0.5|get-manifest_post") (param i32))
  (func (export "cm32p2|greentic:component/node@0.5|on-start_post") (param i32))
  (func (export "cm32p2|greentic:component/node@0.5|on-stop_post") (param i32))
  (func (export "cm32p2|greentic:component/node@0.5|invoke_post") (param i32))
  (func (export "cm32p2|greentic:component/node@0.5|invoke-stream_post") (param i32))
  (func (export "cm32p2_initialize"))

  ;; Room for what the host passes in; 64 KiB is plenty for one call.
  (func (export "cm32p2_realloc") (param $old i32) (param $was i32) (param $align i32)
      (param $size i32) (result i32) (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $top) (i32.const 15)) (i32.const -16)))
    (global.set $top (i32.add (local.get $at) (local.get $size)))
    (memory.copy (local.get $at) (local.get $old) (local.get $was))
    (local.get $at)))
