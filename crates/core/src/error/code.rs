//! The table of codes: every error that can leave, a line each. `docs/error-codes.md` is written from it.

use super::Kind;

/// A line of the table.
#[derive(Debug, PartialEq, Eq)]
pub struct Code {
    /// `extensions.code` in GraphQL.
    pub name: &'static str,
    /// What a caller can do about it.
    pub kind: Kind,
    /// The HTTP status, where the answer has one of its own: its kind's, or one that says it better.
    pub status: u16,
    /// The English message; `{name}` is filled in.
    pub en: &'static str,
    /// The Chinese message.
    pub zh: &'static str,
    /// What to do, in English.
    pub remedy: &'static str,
    /// What to do, in Chinese.
    pub remedy_zh: &'static str,
}

impl Kind {
    /// The HTTP status of this kind.
    const fn status(self) -> u16 {
        match self {
            Self::NotFound => 404,
            Self::Conflict => 409,
            Self::Invalid => 400,
            Self::Unauthenticated => 401,
            Self::Forbidden => 403,
            Self::Limit => 429,
            Self::Unavailable => 503,
            Self::Internal => 500,
        }
    }
}

macro_rules! codes {
    (@status $kind:ident) => { Kind::$kind.status() };
    (@status $kind:ident $status:literal) => { $status };
    ($($constant:ident $kind:ident $(= $status:literal)? $en:literal $zh:literal $remedy:literal $remedy_zh:literal;)+) => {
        $(
            #[doc = $en]
            pub static $constant: Code = Code {
                name: stringify!($constant),
                kind: Kind::$kind,
                status: codes!(@status $kind $($status)?),
                en: $en,
                zh: $zh,
                remedy: $remedy,
                remedy_zh: $remedy_zh,
            };
        )+

        /// Every code, in the order of the table.
        pub static ALL: &[&Code] = &[$(&$constant),+];
    };
}

codes! {
    TASK_NOT_FOUND NotFound "task {id} does not exist" "任务 {id} 不存在" "Check the id; a task of another tenant looks the same." "请检查标识；其他租户的任务同样显示为不存在。";
    SUBTASK_NOT_FOUND NotFound "subtask {id} does not exist" "子任务 {id} 不存在" "Check the id; a subtask of another tenant looks the same." "请检查标识；其他租户的子任务同样显示为不存在。";
    DEFINITION_NOT_FOUND NotFound "definition {id} does not exist" "任务定义 {id} 不存在" "List the definitions to see their names and versions." "请列出任务定义，查看其名称和版本。";
    USER_NOT_FOUND NotFound "user {id} does not exist" "用户 {id} 不存在" "List the users." "请列出用户。";
    TOKEN_NOT_FOUND NotFound "token {id} does not exist" "令牌 {id} 不存在" "List the tokens." "请列出令牌。";
    TENANT_NOT_FOUND NotFound "tenant {id} does not exist" "租户 {id} 不存在" "List the tenants." "请列出租户。";
    SECRET_NOT_FOUND NotFound "secret {id} does not exist" "密钥 {id} 不存在" "List the secrets; a secret of another tenant looks the same." "请列出密钥；其他租户的密钥同样显示为不存在。";
    VCENTER_NOT_FOUND NotFound "vCenter {vcenter} does not exist" "vCenter {vcenter} 不存在" "List the vCenters; one of another tenant looks the same." "请列出 vCenter；其他租户的 vCenter 同样显示为不存在。";
    VSPHERE_TASK_NOT_FOUND NotFound "vSphere task {id} does not exist" "vSphere 任务 {id} 不存在" "Check the id; a task of another tenant looks the same." "请检查标识；其他租户的任务同样显示为不存在。";
    DATA_SOURCE_NOT_FOUND NotFound "data source {id} does not exist" "数据源 {id} 不存在" "List the data sources; one of another tenant looks the same." "请列出数据源；其他租户的数据源同样显示为不存在。";
    ENGINE_NOT_FOUND NotFound "no data source is set up for the engine {engine}" "没有为引擎 {engine} 配置数据源" "Ask an administrator to set up a data source with this `engine`, or name another engine." "请管理员配置带有此 `engine` 的数据源，或改用其他引擎。";
    RESULT_SET_NOT_FOUND NotFound "subtask {id} has no result set {number}" "子任务 {id} 没有结果集 {number}" "`resultSets` of the subtask lists those there are; a new attempt begins with none." "子任务的 `resultSets` 列出现有结果集；新的尝试从零开始。";
    PATH_NOT_FOUND NotFound "there is nothing at {path}" "{path} 处没有任何内容" "The answer names the paths that exist." "应答中列出了存在的路径。";
    OPERATION_NOT_ALLOWED Conflict "{object} is {state}: {operation} is not allowed" "{object} 状态为 {state}，不能进行 {operation}" "`availableOperations` says what is allowed now." "`availableOperations` 说明当前允许的操作。";
    ROLLBACK_PROHIBITED Conflict "task {id} cannot be rolled back: {reason}" "任务 {id} 不能回滚：{reason}" "Retry or skip what failed; rollback is forbidden by the definition." "请重试或跳过失败的部分；任务定义禁止回滚。";
    IDEMPOTENCY_KEY_REUSED Conflict "idempotency key {key} was used with another request" "幂等键 {key} 已用于另一个请求" "Use a new key for a new request, or send the same request again." "新请求请使用新的键，或重新发送相同的请求。";
    NAME_TAKEN Conflict "the name {name} is taken" "名称 {name} 已被占用" "Choose another name." "请选择其他名称。";
    VCENTER_REFUSED Conflict "the vCenter did not do it ({why}): {reason}" "vCenter 未执行（{why}）：{reason}" "`why` is the word for it; the vCenter's own reason follows." "`why` 是原因代码，其后是 vCenter 自身给出的原因。";
    LAST_ADMIN Conflict "user {name} is the last administrator" "用户 {name} 是最后一个管理员" "Make another user ADMIN first." "请先将另一个用户设为 ADMIN。";
    INVALID_INPUT Invalid "{what} is not valid: {reason}" "{what} 无效：{reason}" "Mend the named field." "请修正所指出的字段。";
    INVALID_SPEC Invalid "the definition is not valid: {reason}" "任务定义无效：{reason}" "`extensions.faults` names each place with its line." "`extensions.faults` 指出每一处错误及其行号。";
    INVALID_PARAMETERS Invalid "the parameters are not valid: {reason}" "参数无效：{reason}" "`extensions.faults` names each parameter; the definition's JSON Schema says what it wants." "`extensions.faults` 指出每个有误的参数；要求见任务定义中的 JSON Schema。";
    INVALID_ID Invalid "{id} is not the id of a {type}" "{id} 不是 {type} 的标识" "Ids are opaque: send one that the graph gave out." "标识不可自行拼造：请使用接口返回的标识。";
    INVALID_CURSOR Invalid "{cursor} is not a cursor of this list" "{cursor} 不是此列表的游标" "Send a cursor that this field gave out." "请使用此字段返回的游标。";
    INVALID_PAGE Invalid "{what} is out of range: {reason}" "{what} 超出范围：{reason}" "Ask for a page within the named range." "请在所指出的范围内请求分页。";
    BAD_REQUEST Invalid "{reason}" "{reason}" "Mend the request as the message says." "请按消息所述修正请求。";
    METHOD_NOT_ALLOWED Invalid = 405 "{path} does not answer {method}" "{path} 不支持 {method} 方法" "`Allow` and the answer name the methods." "`Allow` 头和应答中列出了可用的方法。";
    UNSUPPORTED_MEDIA_TYPE Invalid = 415 "send the body as JSON, with `Content-Type: application/json`" "请以 JSON 发送请求体，并使用 `Content-Type: application/json`" "A form, multipart or plain text is refused: a page of another site could send it." "表单、multipart 和纯文本会被拒绝：其他站点的页面也能发送它们。";
    BODY_TOO_LARGE Limit = 413 "the body is larger than {limit} bytes" "请求体超过 {limit} 字节" "Send less, sign in, or raise the `server.body_limit` that is in force for this caller." "请减少发送内容、先登录，或调大对该调用方生效的 `server.body_limit`。";
    QUERY_TOO_COMPLEX Limit "the query is too large: {reason}" "查询过大：{reason}" "Ask for less at a time." "请减少单次查询的内容。";
    FOLDER_TOO_LARGE Limit "the folder of the step has more than {limit} bytes" "步骤的文件夹超过 {limit} 字节" "Why a step FAILED, in its message: let it write less or elsewhere, or raise `worker.folder_limit`." "这是步骤 FAILED 的原因，写在其消息中：请让它少写或写到别处，或调大 `worker.folder_limit`。";
    DISK_FULL Limit "the disk of the server is full, and the folder of the step has the most of it" "服务器的磁盘已满，而该步骤的文件夹占用最多" "Why a step FAILED, in its message: give the disk room, or let the step write elsewhere." "这是步骤 FAILED 的原因，写在其消息中：请为磁盘腾出空间，或让步骤写到别处。";
    TOO_MANY_REQUESTS Limit "too many {what}: try again in {seconds} s" "{what} 过多：请在 {seconds} 秒后重试" "Slow down." "请降低请求频率。";
    TOO_MANY_CONNECTIONS Unavailable "too many connections are open: try again in {seconds} s" "连接数过多：请在 {seconds} 秒后重试" "Close connections that are not used, or raise `server.max_connections` or `server.max_connections_per_address`." "请关闭不使用的连接，或调大 `server.max_connections` 或 `server.max_connections_per_address`。";
    TOO_MANY_SUBSCRIPTIONS Limit "{limit} subscriptions are open, and the server takes no more: try again in {seconds} s" "已有 {limit} 个订阅，服务器不再接受更多：请在 {seconds} 秒后重试" "Close subscriptions that nobody looks at, come back with the same cursor, or raise `server.max_subscriptions`." "请关闭无人查看的订阅，稍后用同一游标重新订阅，或调大 `server.max_subscriptions`。";
    TOO_MANY_OWN_SUBSCRIPTIONS Limit "you have {limit} subscriptions open, and one user may have no more: try again in {seconds} s" "您已打开 {limit} 个订阅，已达单个用户上限：请在 {seconds} 秒后重试" "Close subscriptions that nobody looks at; an administrator can raise `server.user_subscriptions`, or make a token with more `subscriptions`." "请关闭无人查看的订阅；管理员可以调大 `server.user_subscriptions`，或创建允许更多 `subscriptions` 的令牌。";
    TOO_MANY_OWN_SOCKETS Limit "you have {limit} WebSockets open, and one user may have no more: try again in {seconds} s" "您已打开 {limit} 个 WebSocket，已达单个用户上限：请在 {seconds} 秒后重试" "Run several operations over one socket, or raise `server.user_sockets`." "请在一个 WebSocket 上运行多个操作，或调大 `server.user_sockets`。";
    UNAUTHENTICATED Unauthenticated "not signed in" "尚未登录" "Send a bearer token, Basic credentials, or sign in." "请发送 Bearer 令牌或 Basic 凭据，或先登录。";
    BAD_CREDENTIALS Unauthenticated "user name or password is wrong" "用户名或密码错误" "Check both; one message serves for either." "请检查用户名和密码；两种错误使用同一条消息。";
    TOKEN_REFUSED Unauthenticated "the token is unknown, has expired or was revoked" "令牌未知、已过期或已被吊销" "Make a new token, or sign in another way." "请创建新令牌，或以其他方式登录。";
    NOT_THE_OWNER Forbidden "task {id} was submitted by {user}: only they or an administrator may do this" "任务 {id} 由 {user} 提交：只有该用户或管理员可以执行此操作" "Sign in as its owner, or ask an administrator." "请以任务所有者身份登录，或联系管理员。";
    FOREIGN_PAGE Forbidden "a page of another origin may not do this" "其他来源的页面不能执行此操作" "Call from a page of this server, from a program, or name the page's origin in `server.external_origins`." "请从本服务器的页面或程序调用，或在 `server.external_origins` 中登记该页面的来源。";
    FORBIDDEN Forbidden "this needs the role {role}" "此操作需要角色 {role}" "Ask an administrator for the role." "请向管理员申请该角色。";
    DATABASE_UNAVAILABLE Unavailable "the database does not answer: nothing was changed, try again" "数据库暂不可用：未做任何更改，请重试" "Check that the database runs, its disk is not full and its file is not locked; the server goes on by itself when it is back." "请检查数据库是否运行、磁盘是否已满、文件是否被锁定；恢复后服务器会自动继续。";
    OUTCOME_UNKNOWN Unavailable "the connection to the database broke before it answered, so it may have been done: look before you send it again; with an idempotencyKey send it again" "数据库连接在应答前中断，操作可能已执行：重新发送前请先查看结果；带有 idempotencyKey 的请求可直接重新发送" "With an `idempotencyKey` send the same request again: it is done once. Without one look first whether it was done." "带有 `idempotencyKey` 时请重新发送相同请求，只会执行一次；否则请先查看是否已执行。";
    SHUTTING_DOWN Unavailable "the server is stopping: try again" "服务器正在停止：请重试" "Send the request again after the restart." "请在重启后重新发送请求。";
    TIMED_OUT Unavailable "the request took longer than {seconds} s" "请求超过 {seconds} 秒" "Ask for less at a time." "请减少单次请求的内容。";
    KEY_NOT_USABLE Unavailable "a secret cannot be opened or sealed: {reason}" "密钥无法解密或加密：{reason}" "Give this server the key file or `TASKLOOM_SECRET_KEY` of the one that sealed it; `docs/secrets.md` says how." "请为此服务器提供加密时所用的密钥文件或 `TASKLOOM_SECRET_KEY`；方法见 `docs/secrets.md`。";
    INTERNAL Internal "internal error; the log has it under this request's id" "内部错误；日志中可按请求标识查找" "Look into the server's log for the request id." "请在服务器日志中按请求标识查找。";
}
