//! crm.lookup: who wrote. The state store remembers; what it does not know, the CRM is asked.
const std = @import("std");
const g = @import("greentic");

pub const name = "crm.lookup";
pub const version = "1.0.0";
pub const shell = "node-v05-full";
pub const panic = g.panic;

const Person = struct { name: []const u8, plan: []const u8, since: []const u8 = "" };
const Found = struct {
    known: bool,
    source: []const u8,
    email: []const u8,
    name: []const u8,
    plan: []const u8,
    since: []const u8,
};

pub const ops = struct {
    pub fn find(ctx: g.Ctx, in: struct { email: []const u8 }) !Found {
        if (in.email.len == 0)
            return g.fail(.{ .code = "NO_SENDER", .message = "the message says not who wrote it" });
        const key = g.print("customer/{s}", .{in.email});
        const kept = try g.state.read(key);
        const text = kept orelse try ask(in.email) orelse return stranger(in.email);
        const person = g.fromJson(Person, text) catch return g.fail(.{
            .code = "BAD_CUSTOMER",
            .message = g.print("no customer in what came back: {s}", .{text}),
        });
        if (kept == null) try g.state.write(key, text);
        const source = if (kept == null) "crm" else "state";
        g.telemetry.log(ctx, &.{
            .{ .name = "message", .value = "customer found" },
            .{ .name = "source", .value = source },
        });
        return .{
            .known = true,
            .source = source,
            .email = in.email,
            .name = person.name,
            .plan = person.plan,
            .since = person.since,
        };
    }
};

/// What the CRM has under an address, null when it has nothing.
fn ask(email: []const u8) !?[]const u8 {
    const token = try g.secrets.require("CRM_TOKEN");
    const answer = try g.http.send(.{
        .url = g.print("https://api.crm.test/customers/{s}", .{email}),
        .headers = &.{
            .{ .name = "authorization", .value = g.print("Bearer {s}", .{token}) },
            .{ .name = "accept", .value = "application/json" },
        },
    });
    if (answer.status == 200) return answer.body;
    if (answer.status == 404) return null;
    const later = answer.status == 429 or answer.status >= 500;
    return g.fail(.{
        .code = if (later) "CRM_UNAVAILABLE" else "CRM_REFUSED",
        .message = g.print("the CRM answered {d}", .{answer.status}),
        .retryable = later,
        .backoff_ms = if (later) 1000 else null,
    });
}

fn stranger(email: []const u8) Found {
    const at = std.mem.indexOfScalar(u8, email, '@') orelse email.len;
    return .{
        .known = false,
        .source = "nobody",
        .email = email,
        .name = email[0..at],
        .plan = "none",
        .since = "",
    };
}

comptime {
    g.component(@This());
}
