//! broken.asker: asks the host for what it does not get.
const g = @import("greentic");

pub const name = "broken.asker";
pub const version = "0.1.0";
pub const shell = "node-v05-full";
pub const panic = g.panic;

/// The kit leaves this import out on purpose: no host of ours lets a component write secrets.
extern "cm32p2|greentic:secrets-store/secrets-store@1" fn put(
    [*]const u8,
    usize,
    [*]const u8,
    usize,
) void;

pub const ops = struct {
    pub fn fetch(_: g.Ctx, in: struct { url: []const u8 }) !g.http.Response {
        return g.http.send(.{ .url = in.url });
    }

    pub fn unlock(_: g.Ctx, in: struct { secret: []const u8 }) !struct { length: usize } {
        return .{ .length = (try g.secrets.require(in.secret)).len };
    }

    pub fn store(_: g.Ctx, in: struct { secret: []const u8 }) !struct { stored: bool } {
        const value = "chosen by a component";
        put(in.secret.ptr, in.secret.len, value, value.len);
        return .{ .stored = true };
    }
};

comptime {
    g.component(@This());
}
