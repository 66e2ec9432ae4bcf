//! support.cases: numbers a case, remembers it in the state store, and finds words for it.
const std = @import("std");
const g = @import("greentic");

pub const name = "support.cases";
pub const version = "1.0.0";
pub const shell = "node-v05-http-state";
pub const panic = g.panic;

/// What was answered on a card; the two cards ask different things.
const Answer = struct { decision: []const u8 = "", wish: []const u8 = "", note: []const u8 = "" };
/// What the way to the case left behind: a hand-over, an answered wait, or nothing of the kind.
const Before = struct { decision: []const u8 = "", note: []const u8 = "", answer: Answer = .{} };
const Opening = struct {
    from: []const u8,
    kind: []const u8,
    topic: []const u8,
    urgency: u32,
    before: Before = .{},
};
const Fact = struct { title: []const u8, value: []const u8 };
const Case = struct {
    number: []const u8,
    headline: []const u8,
    text: []const u8,
    facts: []const Fact,
};

pub const ops = struct {
    /// The outcome of an escalation, whoever or whatever ended it.
    pub fn handover(_: g.Ctx, in: struct { answer: Answer = .{} }) !struct {
        decision: []const u8,
        note: []const u8,
    } {
        const said = in.answer.decision;
        return .{ .decision = if (said.len == 0) "nobody" else said, .note = in.answer.note };
    }

    pub fn open(_: g.Ctx, in: Opening) !Case {
        const number = try next();
        const choice = chosen(in.before);
        const note = if (in.before.note.len > 0) in.before.note else in.before.answer.note;
        const facts = try g.allocator.dupe(Fact, &.{
            .{ .title = "Case", .value = number },
            .{ .title = "About", .value = in.topic },
            .{ .title = "Urgency", .value = g.print("{d} of 100", .{in.urgency}) },
            .{ .title = "Note", .value = if (note.len > 0) note else "none" },
        });
        try g.state.write(g.print("case/{s}", .{number}), g.toJson(.{
            .from = in.from,
            .topic = in.topic,
            .urgency = in.urgency,
            .choice = choice,
            .note = note,
        }));
        return .{
            .number = number,
            .headline = headline(in.kind),
            .text = words(in.kind, choice),
            .facts = facts,
        };
    }
};

/// One more than the last number the state store knows.
fn next() ![]const u8 {
    const last = try g.state.read("cases/last") orelse "0";
    const number = std.fmt.parseInt(u32, last, 10) catch return g.fail(.{
        .code = "BAD_COUNTER",
        .message = g.print("cases/last is no number: {s}", .{last}),
    });
    try g.state.write("cases/last", g.toJson(number + 1));
    return g.print("C-{d}", .{number + 1});
}

fn chosen(before: Before) []const u8 {
    if (before.decision.len > 0) return before.decision;
    return if (before.answer.wish.len > 0) before.answer.wish else "none";
}

fn headline(kind: []const u8) []const u8 {
    if (is(kind, "urgent")) return "We are on it";
    if (is(kind, "billing")) return "Your invoice";
    return "Thank you for writing";
}

fn words(kind: []const u8, choice: []const u8) []const u8 {
    if (is(choice, "take")) return "An engineer has taken your case and will write to you shortly.";
    if (is(choice, "pass")) return "The next shift takes your case within the hour.";
    if (is(choice, "nobody")) return "Nobody has answered yet. The head of support has been told.";
    if (is(choice, "refund")) return "We send back what was charged too much.";
    if (is(choice, "explain")) return "A colleague goes through the invoice with you, line by line.";
    if (is(choice, "call")) return "We call you on the number we have.";
    if (is(kind, "billing")) return "Your case stays open until you tell us what you wish.";
    return "The help pages have a chapter on this; if it does not help, just answer.";
}

fn is(text: []const u8, other: []const u8) bool {
    return std.mem.eql(u8, text, other);
}

comptime {
    g.component(@This());
}
