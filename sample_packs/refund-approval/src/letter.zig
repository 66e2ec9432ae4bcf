//! refunds.letter: the words that go back to the customer. Speaks the older interface on purpose.
const g = @import("greentic");

pub const name = "refunds.letter";
pub const version = "0.9.2";
pub const shell = "node-v04";
pub const panic = g.panic;

const Paid = struct {
    number: []const u8,
    order: []const u8,
    amount: g.Money,
    currency: []const u8,
};
const Letter = struct { subject: []const u8, text: []const u8 };

pub const ops = struct {
    /// A receipt number made of what it stands for, so the same refund has the same number.
    pub fn number(_: g.Ctx, in: struct { order: []const u8, charge: []const u8 }) !struct {
        number: []const u8,
    } {
        return .{ .number = g.print("R-{s}-{s}", .{ in.order, in.charge }) };
    }

    pub fn receipt(_: g.Ctx, in: Paid) !Letter {
        return .{
            .subject = g.print("Receipt {s}", .{in.number}),
            .text = g.print("Your refund of {s} {s} for order {s} is on its way.", .{
                g.toJson(in.amount), in.currency, in.order,
            }),
        };
    }

    pub fn refusal(_: g.Ctx, in: struct { order: []const u8 }) !Letter {
        return .{
            .subject = g.print("Your order {s}", .{in.order}),
            .text = g.print("The refund for order {s} was not approved.", .{in.order}),
        };
    }
};

comptime {
    g.component(@This());
}
