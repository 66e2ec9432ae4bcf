//! support.classify: what a message is about, how much it presses, and why it was read so.
const std = @import("std");
const g = @import("greentic");

pub const name = "support.classify";
pub const version = "1.0.0";
pub const shell = "node-v05";
pub const panic = g.panic;

const Message = struct { text: []const u8, plan: []const u8 = "none" };
const Reason = struct { rule: []const u8, points: u32, why: []const u8 };
const Class = struct {
    /// Which way the flow goes: urgent, billing or other.
    status: []const u8,
    topic: []const u8,
    urgency: u32,
    reasons: []const Reason,
    because: []const u8,
};
const Rule = struct { rule: []const u8, points: u32, words: []const []const u8 };

const pressing = [_]Rule{
    .{ .rule = "outage", .points = 50, .words = &.{ "is down", "outage", "not working", "broken" } },
    .{ .rule = "business-stopped", .points = 25, .words = &.{ "nobody can", "losing", "all our" } },
    .{ .rule = "asks-for-haste", .points = 15, .words = &.{ "urgent", "asap", "immediately" } },
};
const money = [_][]const u8{ "invoice", "charged", "refund", "payment", "bill" };

pub const ops = struct {
    pub fn classify(_: g.Ctx, in: Message) !Class {
        if (std.mem.trim(u8, in.text, " \t\r\n").len == 0)
            return g.fail(.{ .code = "NO_TEXT", .message = "the message is empty" });
        var reasons: std.ArrayList(Reason) = .empty;
        for (pressing) |rule| if (find(in.text, rule.words)) |word| try reasons.append(g.allocator, .{
            .rule = rule.rule,
            .points = rule.points,
            .why = g.print("it says \"{s}\"", .{word}),
        });
        if (std.mem.eql(u8, in.plan, "enterprise")) try reasons.append(g.allocator, .{
            .rule = "enterprise",
            .points = 20,
            .why = "the plan promises an answer within the hour",
        });
        const paid = find(in.text, &money);
        if (paid) |word| try reasons.append(g.allocator, .{
            .rule = "money",
            .points = 5,
            .why = g.print("it is about money: \"{s}\"", .{word}),
        });
        var sum: u32 = 5;
        for (reasons.items) |reason| sum += reason.points;
        const urgent = sum >= 60;
        return .{
            .status = if (urgent) "urgent" else if (paid != null) "billing" else "other",
            .topic = if (urgent) "outage" else if (paid != null) "billing" else "how-to",
            .urgency = @min(sum, 100),
            .reasons = reasons.items,
            .because = try joined(reasons.items),
        };
    }
};

/// The first of the words that the text has, in any case.
fn find(text: []const u8, words: []const []const u8) ?[]const u8 {
    for (words) |word| if (std.ascii.findIgnoreCase(text, word) != null) return word;
    return null;
}

fn joined(reasons: []const Reason) ![]const u8 {
    if (reasons.len == 0) return "nothing in it presses";
    const parts = try g.allocator.alloc([]const u8, reasons.len);
    for (parts, reasons) |*part, reason| part.* = reason.why;
    return std.mem.join(g.allocator, "; ", parts);
}

comptime {
    g.component(@This());
}
