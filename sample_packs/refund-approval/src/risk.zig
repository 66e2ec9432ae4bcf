//! refunds.risk: how careful to be with a refund, and what the answer of a person means for it.
const std = @import("std");
const g = @import("greentic");

pub const name = "refunds.risk";
pub const version = "1.1.0";
pub const shell = "node-v05";
pub const panic = g.panic;

const Reason = struct { rule: []const u8, points: u32, why: []const u8 };
const Refund = struct { amount: g.Money, currency: []const u8 = "EUR", iban: []const u8 = "" };
const Risk = struct { score: u32, level: []const u8, reasons: []const Reason };

pub const ops = struct {
    pub fn score(_: g.Ctx, in: Refund) !Risk {
        var reasons: std.ArrayList(Reason) = .empty;
        const units = @divTrunc(in.amount.cents, 100);
        if (units >= 1000) try reasons.append(g.allocator, .{
            .rule = "large-amount",
            .points = 45,
            .why = g.print("{d} is 1000 or more", .{units}),
        });
        if (!std.mem.eql(u8, in.currency, "EUR")) try reasons.append(g.allocator, .{
            .rule = "foreign-currency",
            .points = 15,
            .why = g.print("the order was paid in {s}", .{in.currency}),
        });
        if (!std.mem.startsWith(u8, in.iban, "DE")) try reasons.append(g.allocator, .{
            .rule = "account-abroad",
            .points = 25,
            .why = "the account is not a German one",
        });
        var sum: u32 = 5;
        for (reasons.items) |reason| sum += reason.points;
        const level = if (sum >= 60) "high" else if (sum >= 30) "medium" else "low";
        return .{ .score = sum, .level = level, .reasons = reasons.items };
    }

    pub fn decide(_: g.Ctx, in: struct { approved: bool, level: []const u8 }) !struct {
        decision: []const u8,
        why: []const u8,
    } {
        if (!in.approved) return .{ .decision = "reject", .why = "a person said no" };
        return .{
            .decision = "pay",
            .why = g.print("a person said yes to a refund of {s} risk", .{in.level}),
        };
    }
};

comptime {
    g.component(@This());
}
