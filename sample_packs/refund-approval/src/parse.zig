//! refunds.parse: reads a refund request, from fields or from a line of text.
const std = @import("std");
const g = @import("greentic");

pub const name = "refunds.parse";
pub const version = "1.2.0";
pub const shell = "node-v05";
pub const panic = g.panic;

const Request = struct {
    order: []const u8 = "",
    amount: ?g.Json = null,
    currency: []const u8 = "EUR",
    iban: []const u8 = "",
    /// "refund order 2041 512 USD to DE89 3704 0044 0532 0130 00"
    text: ?[]const u8 = null,
};
const Refund = struct { order: []const u8, amount: g.Money, currency: []const u8, iban: []const u8 };

pub const ops = struct {
    pub fn parse(_: g.Ctx, in: Request) !Refund {
        var request = in;
        if (in.text) |text| readText(text, &request);
        if (request.order.len == 0)
            return g.fail(.{ .code = "NO_ORDER", .message = "the request names no order" });
        const given = request.amount orelse g.Json.null;
        const amount = g.Money.from(given) orelse return g.fail(.{
            .code = "NO_AMOUNT",
            .message = g.print("the request names no amount, got {s}", .{g.toJson(given)}),
        });
        return .{
            .order = request.order,
            .amount = amount,
            .currency = request.currency,
            .iban = request.iban,
        };
    }
};

/// Words in any order; whatever follows "to" is the account.
fn readText(text: []const u8, request: *Request) void {
    var words = std.mem.tokenizeAny(u8, text, " \t\n,");
    while (words.next()) |word| {
        if (std.ascii.eqlIgnoreCase(word, "order")) {
            request.order = words.next() orelse "";
        } else if (std.ascii.eqlIgnoreCase(word, "to")) {
            request.iban = std.mem.trim(u8, words.rest(), " \t\n");
            return;
        } else if (std.fmt.parseFloat(f64, word)) |number| {
            request.amount = .{ .float = number };
        } else |_| if (word.len == 3 and std.ascii.isUpper(word[0])) {
            request.currency = word;
        }
    }
}

comptime {
    g.component(@This());
}
