;; broken.hog: asks for memory until it is refused, and dies as a Rust component does: in its
;; allocator's error handler, without a word. By hand, because a trace shows a function's name
;; only when the module keeps its names.
;; name: broken.hog
;; shell: node-v05
(module
  (memory (export "memory") 2)
  (global $top (mut i32) (i32.const 65536))
  (data (i32.const 1024)
    "{\"name\":\"broken.hog\",\"version\":\"0.1.0\",\"operations\":[{\"name\":\"eat\"}]}")

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
    (i32.store (i32.const 20) (i32.const 69))
    (i32.const 16))
  (func (export "cm32p2|greentic:component/node@0.5|on-start") (param i32) (result i32)
    (i32.const 0))
  (func (export "cm32p2|greentic:component/node@0.5|on-stop") (param i32) (result i32)
    (i32.const 0))
  (func (export "cm32p2|greentic:component/node@0.5|invoke") (param i32) (result i32)
    (call $eat)
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
