"""A guest that looks for its folders and tries to make another inside the first of them."""

from __future__ import annotations

import dataclasses

from wasmtime import wat2wasm

from workbench.components.host import Artifact, ComponentHost
from workbench.components.worlds import Entrance, World
from workbench.model.effect import ok

INTERFACE = "test:files/api"
# The order is WASI's: the number of a case is its place.
ERRORS = (
    "access would-block already bad-descriptor busy deadlock quota exist file-too-large "
    "illegal-byte-sequence in-progress interrupted invalid io is-directory loop too-many-links "
    "message-size name-too-long no-device no-entry no-lock insufficient-memory "
    "insufficient-space not-directory not-empty not-recoverable unsupported no-tty "
    "no-such-device overflow not-permitted pipe read-only invalid-seek text-file-busy "
    "cross-device"
).split()
MADE = 255

_TEXT = f"""(component
  (import "wasi:filesystem/types@0.2.0" (instance $types
    (export "descriptor" (type $descriptor (sub resource)))
    (type $codes (enum {" ".join(f'"{error}"' for error in ERRORS)}))
    (export "error-code" (type $error (eq $codes)))
    (export "[method]descriptor.create-directory-at" (func
      (param "self" (borrow $descriptor)) (param "path" string) (result (result (error $error)))))))
  (alias export $types "descriptor" (type $folder))
  (import "wasi:filesystem/preopens@0.2.0" (instance $preopens
    (alias outer 1 $folder (type $outside))
    (export "descriptor" (type $descriptor (eq $outside)))
    (export "get-directories" (func (result (list (tuple (own $descriptor) string)))))))
  (core module $store
    (memory (export "memory") 2)
    (data (i32.const 64) "made")
    (global $top (mut i32) (i32.const 1024))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (local $at i32)
      (local.set $at (i32.and (i32.add (global.get $top) (i32.const 15)) (i32.const -16)))
      (global.set $top (i32.add (local.get $at) (local.get 3)))
      (local.get $at)))
  (core instance $store (instantiate $store))
  (core func $folders (canon lower (func $preopens "get-directories")
    (memory (core memory $store "memory")) (realloc (core func $store "realloc"))))
  (core func $make (canon lower (func $types "[method]descriptor.create-directory-at")
    (memory (core memory $store "memory"))))
  (core module $main
    (import "" "memory" (memory 1))
    (import "" "folders" (func $folders (param i32)))
    (import "" "make" (func $make (param i32 i32 i32 i32)))
    (func (export "try") (result i32)
      (call $folders (i32.const 16))
      (i64.store (i32.const 32) (i64.const 0))
      (if (i32.load (i32.const 20)) (then
        (i32.store (i32.const 32) (i32.load offset=4 (i32.load (i32.const 16))))
        (i32.store (i32.const 36) (i32.load offset=8 (i32.load (i32.const 16))))
        (call $make (i32.load (i32.load (i32.const 16)))
          (i32.const 64) (i32.const 4) (i32.const 48))
        (i32.store8 (i32.const 40) (if (result i32) (i32.load8_u (i32.const 48))
          (then (i32.load8_u (i32.const 49))) (else (i32.const {MADE}))))))
      (i32.const 32)))
  (core instance $main (instantiate $main (with "" (instance
    (export "memory" (memory $store "memory"))
    (export "folders" (func $folders))
    (export "make" (func $make))))))
  (func $try (result (tuple string u8)) (canon lift (core func $main "try")
    (memory (core memory $store "memory"))))
  (instance $api (export "try" (func $try)))
  (export "{INTERFACE}" (instance $api)))"""


def folder_maker(host: ComponentHost) -> Artifact:
    """Answers [the folder's guest path, MADE or the name of the error]; ["", …] without one."""
    artifact = host.load("files", bytes(wat2wasm(_TEXT)))
    signature = artifact.shape.exports[INTERFACE].functions["try"]
    assert signature is not None
    world = World(
        INTERFACE,
        "try",
        lambda name, request: (),
        lambda name, found: ok([found[0], MADE if found[1] == MADE else ERRORS[found[1]]]),
    )
    return dataclasses.replace(artifact, entrance=Entrance(world, INTERFACE, signature))
