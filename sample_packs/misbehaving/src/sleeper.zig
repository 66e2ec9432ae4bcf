//! broken.sleeper: reaches past the flow's own interfaces, for WASI's clock and WASI's exit.
const g = @import("greentic");

pub const name = "broken.sleeper";
pub const version = "0.1.0";
pub const shell = "node-v05-wasi";
pub const panic = g.panic;

const clock = struct {
    extern "cm32p2|wasi:clocks/monotonic-clock@0.2" fn now() u64;
    extern "cm32p2|wasi:clocks/monotonic-clock@0.2" fn @"subscribe-duration"(u64) i32;
};
const poll = struct {
    extern "cm32p2|wasi:io/poll@0.2" fn @"[method]pollable.block"(i32) void;
    extern "cm32p2|wasi:io/poll@0.2" fn pollable_drop(i32) void;
};
extern "cm32p2|wasi:cli/exit@0.2" fn exit(i32) void;

pub const ops = struct {
    /// Blocks where no interruption reaches it; answers how long that was on the clock it sees.
    pub fn sleep(_: g.Ctx, in: struct { seconds: u64 }) !struct { slept_ms: u64 } {
        const before = clock.now();
        const alarm = clock.@"subscribe-duration"(in.seconds * 1_000_000_000);
        poll.@"[method]pollable.block"(alarm);
        poll.pollable_drop(alarm);
        return .{ .slept_ms = (clock.now() - before) / 1_000_000 };
    }

    pub fn leave(_: g.Ctx, in: struct { ok: bool = false }) !struct {} {
        exit(@intFromBool(!in.ok));
        return .{};
    }
};

comptime {
    g.component(@This());
}
