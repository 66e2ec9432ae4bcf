//! The ABI kit: write a flow component as plain Zig functions from typed JSON to typed JSON.
//!
//!     const g = @import("greentic");
//!     pub const name = "greet.hello";
//!     pub const version = "1.0.0";
//!     pub const shell = "node-v05"; // a file of kit/shells: what the component may import
//!     pub const panic = g.panic;
//!     pub const ops = struct {
//!         pub fn hello(_: g.Ctx, in: struct { who: []const u8 }) !struct { text: []const u8 } {
//!             return .{ .text = g.print("hello {s}", .{in.who}) };
//!         }
//!     };
//!     comptime {
//!         g.component(@This());
//!     }
//!
//! Each public function of `ops` is an operation. Unknown fields of the input are ignored; an
//! input of the wrong shape is answered with the node-error BAD_INPUT. Nothing is ever freed: a
//! host gives every call a fresh instance.
//!
//! The extern structs below are the memory layout of `wit/worlds.wit` (canonical ABI, 32 bit);
//! field order is the contract.
const std = @import("std");
const root = @import("root");

pub const panic = std.debug.no_panic;
pub const allocator = std.heap.wasm_allocator;
/// Any JSON value, for inputs whose type the component wants to judge itself.
pub const Json = std.json.Value;

const abi = if (std.mem.startsWith(u8, root.shell, "node-v04")) "0.4" else "0.5";
const node = "cm32p2|greentic:component/node@" ++ abi ++ "|";

// ---------------------------------------------------------------------------- talking to the flow

/// Who is asking, and for which node. Optional strings are null when the host left them out.
pub const Ctx = struct {
    tenant: []const u8,
    team: ?[]const u8,
    user: ?[]const u8,
    correlation_id: ?[]const u8,
    idempotency_key: ?[]const u8,
    deadline_unix_ms: ?u64,
    /// 1 for the first try of a node.
    attempt: u32,
    flow_id: []const u8,
    node_id: ?[]const u8,
};

/// A structured failure, as the flow and the person debugging it will see it.
pub const Failure = struct {
    code: []const u8,
    message: []const u8,
    retryable: bool = false,
    backoff_ms: ?u64 = null,
    /// JSON text, or null.
    details: ?[]const u8 = null,
};

var failure: ?Failure = null;

/// `return g.fail(.{ .code = "EMPTY", .message = "there is nothing to do" });`
pub fn fail(why: Failure) error{Failed} {
    failure = why;
    return error.Failed;
}

/// Formats text. Running out of memory traps, which is what a host expects of a guest.
pub fn print(comptime format: []const u8, args: anytype) []const u8 {
    return std.fmt.allocPrint(allocator, format, args) catch @trap();
}

/// The JSON text of any value: structs, slices, optionals, `Json`, `Money`.
pub fn toJson(value: anytype) []const u8 {
    return std.json.Stringify.valueAlloc(allocator, value, .{}) catch @trap();
}

/// Reads JSON text as type T; unknown fields are ignored.
pub fn fromJson(comptime T: type, text: []const u8) !T {
    return std.json.parseFromSliceLeaky(T, allocator, text, .{ .ignore_unknown_fields = true });
}

/// An amount in hundredths. In JSON it is a number with two decimals, so 480 euro read 480.00.
pub const Money = struct {
    cents: i64,

    /// From a JSON number; null for anything else, and for what cannot be an amount.
    pub fn from(value: Json) ?Money {
        const number: f64 = switch (value) {
            .integer => |whole| @floatFromInt(whole),
            .float => |real| real,
            else => return null,
        };
        return if (@abs(number) < 1e13) .{ .cents = @intFromFloat(@round(number * 100)) } else null;
    }

    pub fn times(self: Money, factor: f64) Money {
        const cents: f64 = @floatFromInt(self.cents);
        return .{ .cents = @intFromFloat(@round(cents * factor)) };
    }

    pub fn jsonStringify(self: Money, out: anytype) !void {
        const sign = if (self.cents < 0) "-" else "";
        const cents = @abs(self.cents);
        try out.print("{s}{d}.{d:0>2}", .{ sign, cents / 100, cents % 100 });
    }

    pub fn jsonParse(gpa: std.mem.Allocator, source: anytype, options: std.json.ParseOptions) !Money {
        return from(try std.json.innerParse(Json, gpa, source, options)) orelse error.UnexpectedToken;
    }
};

// ---------------------------------------------------------------------------- talking to the host

/// An empty slice may point anywhere, but a host checks that the address lies in memory.
fn address(comptime T: type, slice: []const T) [*]const T {
    return if (slice.len == 0) @ptrFromInt(@alignOf(T)) else slice.ptr;
}

/// Names and values side by side, as headers and telemetry fields are passed.
const Pairs = extern struct {
    list: [*]const Pair,
    count: usize,

    fn of(items: anytype) Pairs {
        const pairs = allocator.alloc(Pair, items.len) catch @trap();
        for (pairs, items) |*pair, item| pair.* = .{ .name = .of(item.name), .value = .of(item.value) };
        return .{ .list = address(Pair, pairs), .count = pairs.len };
    }
};

const Str = extern struct {
    ptr: [*]const u8,
    len: usize,

    fn of(text: []const u8) Str {
        return .{ .ptr = address(u8, text), .len = text.len };
    }
    fn slice(self: Str) []const u8 {
        return self.ptr[0..self.len];
    }
};

const OptStr = extern struct {
    some: bool = false,
    value: Str = .of(""),

    fn of(text: ?[]const u8) OptStr {
        return if (text) |value| .{ .some = true, .value = .of(value) } else .{};
    }
    fn get(self: OptStr) ?[]const u8 {
        return if (self.some) self.value.slice() else null;
    }
};

const OptU64 = extern struct { some: bool = false, value: u64 = 0 };
const Pair = extern struct { name: Str, value: Str };
const HostError = extern struct { code: Str, message: Str };
/// option<tenant-ctx> of greentic:interfaces-types; always none, but its room must be there.
const NoTenant = extern struct { some: bool = false, room: [28]u64 = undefined };

fn hostFailure(code: []const u8, why: HostError) error{Failed} {
    const transient = std.mem.eql(u8, why.code.slice(), "timeout") or
        std.mem.eql(u8, why.code.slice(), "unavailable");
    return fail(.{
        .code = code,
        .message = print("{s}: {s}", .{ why.code.slice(), why.message.slice() }),
        .retryable = transient,
    });
}

pub const control = struct {
    const module = "cm32p2|greentic:component/control@" ++ abi;

    /// True when the host wants this call to end; long loops should ask now and then.
    pub fn shouldCancel() bool {
        const ask = @extern(*const fn () callconv(.c) bool, .{
            .name = "should-cancel",
            .library_name = module,
        });
        return ask();
    }

    pub fn yieldNow() void {
        const call = @extern(*const fn () callconv(.c) void, .{
            .name = "yield-now",
            .library_name = module,
        });
        call();
    }
};

/// Shells with "secrets" or "full" in the name, and node-v05-compat.
pub const secrets = struct {
    const Result = extern struct { err: bool, body: extern union { ok: OptStr, case: u8 } };
    const host = struct {
        extern "cm32p2|greentic:secrets-store/secrets-store@1" fn get(
            [*]const u8,
            usize,
            *Result,
        ) void;
    };
    pub const Error = error{ NotFound, Denied, InvalidKey, Internal };

    /// The secret as bytes; null or NotFound when the host has none of that name.
    pub fn get(key: []const u8) Error!?[]const u8 {
        var result: Result = undefined;
        host.get(key.ptr, key.len, &result);
        if (!result.err) return result.body.ok.get();
        return switch (result.body.case) {
            0 => error.NotFound,
            1 => error.Denied,
            2 => error.InvalidKey,
            else => error.Internal,
        };
    }

    /// The secret, or the node-error MISSING_SECRET that names it.
    pub fn require(key: []const u8) error{Failed}![]const u8 {
        const found = get(key) catch |why| return missing(key, @errorName(why));
        return found orelse missing(key, "NotFound");
    }

    fn missing(key: []const u8, why: []const u8) error{Failed} {
        return fail(.{
            .code = "MISSING_SECRET",
            .message = print("the host gives no secret {s} ({s})", .{ key, why }),
        });
    }
};

/// Shells with "http" or "full" in the name, and node-v05-compat.
pub const http = struct {
    pub const Header = struct { name: []const u8, value: []const u8 };
    pub const Request = struct {
        method: []const u8 = "GET",
        url: []const u8,
        headers: []const Header = &.{},
        body: ?[]const u8 = null,
    };
    pub const Response = struct { status: u16, body: []const u8 };

    const RawRequest = extern struct {
        method: Str,
        url: Str,
        headers: Pairs,
        body: OptStr,
    };
    const Options = extern struct { some: bool = false, room: [3]u32 = undefined };
    // @1.0.0 has no options between the request and the context.
    const Args = if (std.mem.eql(u8, root.shell, "node-v05-compat"))
        extern struct { request: RawRequest, ctx: NoTenant = .{} }
    else
        extern struct { request: RawRequest, options: Options = .{}, ctx: NoTenant = .{} };
    const RawResponse = extern struct {
        status: u16,
        headers: Pairs,
        body: OptStr,
    };
    const Result = extern struct {
        err: bool,
        body: extern union { ok: RawResponse, fault: HostError },
    };
    const host = struct {
        extern "cm32p2|greentic:http/http-client@1" fn send(*const Args, *Result) void;
    };

    /// Sends one request. No answer at all is the node-error HTTP_FAILED; any status is an answer.
    pub fn send(request: Request) error{Failed}!Response {
        const args: Args = .{ .request = .{
            .method = .of(request.method),
            .url = .of(request.url),
            .headers = .of(request.headers),
            .body = .of(request.body),
        } };
        var result: Result = undefined;
        host.send(&args, &result);
        if (result.err) return hostFailure("HTTP_FAILED", result.body.fault);
        return .{ .status = result.body.ok.status, .body = result.body.ok.body.get() orelse "" };
    }
};

/// Shells with "state" or "full" in the name, and node-v05-compat.
pub const state = struct {
    const Args = extern struct { key: Str, ctx: NoTenant = .{} };
    const WriteArgs = extern struct { key: Str, bytes: Str, ctx: NoTenant = .{} };
    const Result = extern struct { err: bool, body: extern union { ok: Str, fault: HostError } };
    const host = struct {
        extern "cm32p2|greentic:state/state-store@1" fn read(*const Args, *Result) void;
        extern "cm32p2|greentic:state/state-store@1" fn write(*const WriteArgs, *Result) void;
        extern "cm32p2|greentic:state/state-store@1" fn delete(*const Args, *Result) void;
    };

    /// The stored bytes; null when nothing is stored under the key.
    pub fn read(key: []const u8) error{Failed}!?[]const u8 {
        var result: Result = undefined;
        host.read(&.{ .key = .of(key) }, &result);
        if (!result.err) return result.body.ok.slice();
        const code = result.body.fault.code.slice();
        if (std.mem.eql(u8, code, "not-found") or std.mem.eql(u8, code, "not_found")) return null;
        return hostFailure("STATE_FAILED", result.body.fault);
    }

    pub fn write(key: []const u8, bytes: []const u8) error{Failed}!void {
        var result: Result = undefined;
        host.write(&.{ .key = .of(key), .bytes = .of(bytes) }, &result);
        if (result.err) return hostFailure("STATE_FAILED", result.body.fault);
    }

    pub fn delete(key: []const u8) error{Failed}!void {
        var result: Result = undefined;
        host.delete(&.{ .key = .of(key) }, &result);
        if (result.err) return hostFailure("STATE_FAILED", result.body.fault);
    }
};

/// The shell node-v05-full.
pub const telemetry = struct {
    pub const Field = struct { name: []const u8, value: []const u8 };

    const Span = extern struct {
        tenant: Str,
        session_id: OptStr = .{},
        flow_id: Str,
        node_id: OptStr,
        provider: Str,
        start_ms: OptU64 = .{},
        end_ms: OptU64 = .{},
    };
    const Args = extern struct { span: Span, fields: Pairs, ctx: NoTenant = .{} };
    const Result = extern struct { err: bool, body: extern union { ok: u8, fault: HostError } };
    const host = struct {
        extern "cm32p2|greentic:telemetry/logger-api@1" fn log(*const Args, *Result) void;
    };

    /// One record for the log of this node. Telemetry that fails never fails the node.
    pub fn log(ctx: Ctx, fields: []const Field) void {
        var result: Result = undefined;
        host.log(&.{
            .span = .{
                .tenant = .of(ctx.tenant),
                .flow_id = .of(ctx.flow_id),
                .node_id = .of(ctx.node_id),
                .provider = .of(root.name),
            },
            .fields = .of(fields),
        }, &result);
    }
};

// ------------------------------------------------------------------------------------- the exports

const RawCtx = extern struct {
    tenant: Str,
    team: OptStr,
    user: OptStr,
    trace_id: OptStr,
    tenant_i18n_id: OptStr,
    correlation_id: OptStr,
    deadline_unix_ms: OptU64,
    attempt: u32,
    idempotency_key: OptStr,
    // The tenant record ends here, padded to 8; what follows is the rest of exec-ctx.
    i18n_id: OptStr,
    flow_id: Str,
    node_id: OptStr,

    fn open(raw: *const RawCtx) Ctx {
        return .{
            .tenant = raw.tenant.slice(),
            .team = raw.team.get(),
            .user = raw.user.get(),
            .correlation_id = raw.correlation_id.get(),
            .idempotency_key = raw.idempotency_key.get(),
            .deadline_unix_ms = if (raw.deadline_unix_ms.some) raw.deadline_unix_ms.value else null,
            .attempt = raw.attempt,
            .flow_id = raw.flow_id.slice(),
            .node_id = raw.node_id.get(),
        };
    }
};

comptime {
    std.debug.assert(@sizeOf(RawCtx) == 136 and @offsetOf(RawCtx, "i18n_id") == 104);
    std.debug.assert(@sizeOf(NoTenant) == 232 and @sizeOf(NodeError) == 56);
}

const InvokeArgs = extern struct { ctx: RawCtx, op: Str, input: Str };
const NodeError = extern struct {
    code: Str,
    message: Str,
    retryable: bool,
    backoff_ms: OptU64,
    details: OptStr,
};
const InvokeResult = extern struct { err: bool, body: extern union { ok: Str, fault: NodeError } };
const Event = extern struct { case: u8, value: Str = .of("") };
const Events = extern struct { list: [*]const Event, count: usize };
const Lifecycle = extern struct { err: bool = false, body: Str = .of("\x00") };

/// Exports everything a node shell asks for. Call it once, in a `comptime` block of the component.
pub fn component(comptime C: type) void {
    const Exports = struct {
        fn getManifest() callconv(.c) *const Str {
            const Operation = struct { name: []const u8 };
            const names = @typeInfo(C.ops).@"struct".decl_names;
            var operations: [names.len]Operation = undefined;
            inline for (names, 0..) |operation, i| operations[i] = .{ .name = operation };
            return keep(Str.of(toJson(.{
                .name = C.name,
                .version = C.version,
                .operations = operations,
            })));
        }

        fn onStart(_: *const RawCtx) callconv(.c) *const Lifecycle {
            return started();
        }

        fn onStop(_: *const RawCtx) callconv(.c) *const Lifecycle {
            return started();
        }

        fn invoke(args: *const InvokeArgs) callconv(.c) *const InvokeResult {
            const output = run(C, args) catch |why| {
                const it = failure orelse Failure{ .code = "FAILED", .message = @errorName(why) };
                return keep(InvokeResult{ .err = true, .body = .{ .fault = .{
                    .code = .of(it.code),
                    .message = .of(it.message),
                    .retryable = it.retryable,
                    .backoff_ms = .{ .some = it.backoff_ms != null, .value = it.backoff_ms orelse 0 },
                    .details = .of(it.details),
                } } });
            };
            return keep(InvokeResult{ .err = false, .body = .{ .ok = .of(output) } });
        }

        fn invokeStream(args: *const InvokeArgs) callconv(.c) *const Events {
            const events = allocator.alloc(Event, 2) catch @trap();
            events[1] = .{ .case = 2 };
            if (run(C, args)) |output| {
                events[0] = .{ .case = 0, .value = .of(output) };
            } else |why| {
                const text = if (failure) |it| it.message else @errorName(why);
                events[0] = .{ .case = 3, .value = .of(text) };
            }
            return keep(Events{ .list = events.ptr, .count = events.len });
        }
    };
    @export(&Exports.getManifest, .{ .name = node ++ "get-manifest" });
    @export(&Exports.onStart, .{ .name = node ++ "on-start" });
    @export(&Exports.onStop, .{ .name = node ++ "on-stop" });
    @export(&Exports.invoke, .{ .name = node ++ "invoke" });
    @export(&Exports.invokeStream, .{ .name = node ++ "invoke-stream" });
    for (.{ "get-manifest", "on-start", "on-stop", "invoke", "invoke-stream" }) |function|
        @export(&afterReturn, .{ .name = node ++ function ++ "_post" });
    @export(&initialize, .{ .name = "cm32p2_initialize" });
    @export(&realloc, .{ .name = "cm32p2_realloc" });
}

/// Finds the operation by name, reads its input, calls it, and writes its output.
fn run(comptime C: type, args: *const InvokeArgs) ![]const u8 {
    failure = null;
    inline for (@typeInfo(C.ops).@"struct".decl_names) |operation| {
        if (std.mem.eql(u8, operation, args.op.slice())) {
            const function = @field(C.ops, operation);
            const Input = @typeInfo(@TypeOf(function)).@"fn".param_types[1].?;
            const input = fromJson(Input, args.input.slice()) catch |why| return fail(.{
                .code = "BAD_INPUT",
                .message = print("{s}.{s} cannot read its input: {t}", .{ C.name, operation, why }),
            });
            return toJson(try function(args.ctx.open(), input));
        }
    }
    return fail(.{
        .code = "UNKNOWN_OPERATION",
        .message = print("{s} has no operation {s}", .{ C.name, args.op.slice() }),
    });
}

fn started() *const Lifecycle {
    return keep(Lifecycle{});
}

fn keep(value: anytype) *const @TypeOf(value) {
    const place = allocator.create(@TypeOf(value)) catch @trap();
    place.* = value;
    return place;
}

fn afterReturn(_: *const anyopaque) callconv(.c) void {}

fn initialize() callconv(.c) void {}

fn realloc(old: [*]u8, was: usize, alignment: usize, size: usize) callconv(.c) [*]u8 {
    const place = allocator.rawAlloc(@max(size, 1), .fromByteUnits(alignment), 0) orelse @trap();
    @memcpy(place[0..@min(was, size)], old[0..@min(was, size)]);
    return place;
}
