//! payments.pay: sends money to an account, through the payment service.
const g = @import("greentic");

pub const name = "payments.pay";
pub const version = "0.3.1";
pub const shell = "node-v05-full";
pub const panic = g.panic;

const Order = struct { account: []const u8, amount: g.Json, currency: []const u8, note: []const u8 };
const Charge = struct { id: []const u8, status: []const u8 };

pub const ops = struct {
    pub fn charge(ctx: g.Ctx, in: Order) !struct { charge: Charge, amount: g.Money } {
        const key = try g.secrets.require("PAY_KEY");
        const amount = g.Money.from(in.amount) orelse return g.fail(.{
            .code = "INVALID_AMOUNT",
            .message = g.print("amount must be a number, got {s}", .{g.toJson(in.amount)}),
            .details = g.toJson(.{ .field = "amount", .got = in.amount }),
        });
        g.telemetry.log(ctx, &.{
            .{ .name = "message", .value = "charging" },
            .{ .name = "amount", .value = g.toJson(amount) },
        });
        const answer = try g.http.send(.{
            .method = "POST",
            .url = "https://api.pay.test/charge",
            .headers = &.{
                .{ .name = "authorization", .value = g.print("Bearer {s}", .{key}) },
                .{ .name = "content-type", .value = "application/json" },
            },
            .body = g.toJson(.{
                .account = in.account,
                .amount = amount,
                .currency = in.currency,
                .note = in.note,
            }),
        });
        const later = answer.status == 429 or answer.status >= 500;
        if (answer.status != 200) return g.fail(.{
            .code = if (later) "UNAVAILABLE" else "REFUSED",
            .message = g.print("the payment service answered {d}", .{answer.status}),
            .retryable = later,
            .backoff_ms = if (later) 1000 else null,
        });
        return .{ .charge = try g.fromJson(Charge, answer.body), .amount = amount };
    }
};

comptime {
    g.component(@This());
}
