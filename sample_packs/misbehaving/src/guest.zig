//! broken.guest: every way a component can go wrong by itself, one operation each.
const std = @import("std");
const g = @import("greentic");

pub const name = "broken.guest";
pub const version = "0.1.0";
pub const shell = "node-v05";
pub const panic = g.panic;

const Nothing = struct {};

/// Answers that are not what a host should get; the kit writes them as they are.
const Raw = struct {
    text: []const u8,

    pub fn jsonStringify(self: Raw, out: anytype) !void {
        try out.print("{s}", .{self.text});
    }
};

pub const ops = struct {
    /// Never comes back, and never asks whether it should.
    pub fn loop(_: g.Ctx, _: Nothing) !Nothing {
        var rounds: u32 = 0;
        while (true) touch(&rounds);
    }

    pub fn overflow(_: g.Ctx, _: Nothing) !struct { depth: u32 } {
        var depth: u32 = 0;
        deeper(&depth);
        return .{ .depth = depth };
    }

    pub fn bad_json(_: g.Ctx, _: Nothing) !Raw {
        return .{ .text = "{\"half\": " };
    }

    pub fn bad_utf8(_: g.Ctx, _: Nothing) !Raw {
        return .{ .text = "\"caf\xe9\"" };
    }

    /// One JSON string of so many bytes.
    pub fn huge(_: g.Ctx, in: struct { bytes: u32 }) !Raw {
        const text = try g.allocator.alloc(u8, in.bytes);
        @memset(text, 'x');
        text[0], text[text.len - 1] = .{ '"', '"' };
        return .{ .text = text };
    }

    /// Fails twice, says that trying again may help, and then it does.
    pub fn flaky(ctx: g.Ctx, _: Nothing) !struct { attempts: u32 } {
        if (ctx.attempt < 3) return g.fail(.{
            .code = "UPSTREAM_BUSY",
            .message = g.print("the upstream asked for a pause at attempt {d}", .{ctx.attempt}),
            .retryable = true,
            .backoff_ms = 250,
            .details = g.toJson(.{ .queue = 9 - 3 * ctx.attempt }),
        });
        return .{ .attempts = ctx.attempt };
    }

    /// Nothing wrong with this one: it is told wrong things.
    pub fn double(_: g.Ctx, in: struct { amount: g.Json }) !struct { amount: g.Money } {
        const amount = g.Money.from(in.amount) orelse return g.fail(.{
            .code = "INVALID_AMOUNT",
            .message = g.print("amount must be a number, got {s}", .{g.toJson(in.amount)}),
        });
        return .{ .amount = amount.times(2) };
    }
};

/// Work that an optimiser may not leave out.
fn touch(cell: *volatile u32) void {
    cell.* +%= 1;
}

fn deeper(depth: *volatile u32) void {
    depth.* +%= 1;
    deeper(depth);
    depth.* -%= 1;
}

comptime {
    g.component(@This());
}
