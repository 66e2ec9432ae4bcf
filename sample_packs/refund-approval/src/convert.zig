//! rates.convert: an amount in another currency; the rate comes from the rates service, once.
const g = @import("greentic");

pub const name = "rates.convert";
pub const version = "0.4.0";
pub const shell = "node-v05-http-state";
pub const panic = g.panic;

const Wanted = struct { amount: g.Money, from: []const u8, to: []const u8 = "EUR" };
const Quote = struct { rate: f64, as_of: []const u8 };
const Converted = struct {
    source: []const u8,
    body: struct { amount: g.Money, currency: []const u8, rate: f64, as_of: []const u8 },
};

pub const ops = struct {
    pub fn convert(_: g.Ctx, in: Wanted) !Converted {
        const key = g.print("rate/{s}-{s}", .{ in.from, in.to });
        const kept = try g.state.read(key);
        const text = kept orelse try ask(in);
        const quote = g.fromJson(Quote, text) catch return g.fail(.{
            .code = "BAD_RATE",
            .message = g.print("no rate in what came back: {s}", .{text}),
        });
        if (kept == null) try g.state.write(key, text);
        return .{ .source = if (kept == null) "service" else "state", .body = .{
            .amount = in.amount.times(quote.rate),
            .currency = in.to,
            .rate = quote.rate,
            .as_of = quote.as_of,
        } };
    }
};

fn ask(in: Wanted) ![]const u8 {
    const answer = try g.http.send(.{
        .url = g.print("https://api.rates.test/latest?from={s}&to={s}", .{ in.from, in.to }),
    });
    if (answer.status == 200) return answer.body;
    const later = answer.status == 429 or answer.status >= 500;
    return g.fail(.{
        .code = "NO_RATE",
        .message = g.print("the rates service answered {d}", .{answer.status}),
        .retryable = later,
        .backoff_ms = if (later) 500 else null,
    });
}

comptime {
    g.component(@This());
}
