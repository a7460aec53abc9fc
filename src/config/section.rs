//! The typed settings. A key stands here, in `taskloom.toml` with its default, and nowhere else.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::SettingFault;
use super::layer::Layers;
use super::place::{Listen, Networks, Origins, TimeZone};
use super::value::{
    AnonymousRole, Bytes, DatabaseUrl, Filter, Format, Isolation, Locale, Patience, ProcessTree, Setting, Slots,
    SystemAccount, WorkerName,
};

/// Itself, also after another was put in its place.
const THIS_PROGRAM: &str = "/proc/self/exe";

/// The name of a section in a file: its own, or that of a section in a section.
macro_rules! name {
    ($section:ident) => {
        stringify!($section)
    };
    ($section:ident $name:literal) => {
        $name
    };
}

macro_rules! sections {
    ($($(#[$doc:meta])* $section:ident $(= $name:literal)?: $Section:ident { $($(#[$about:meta])* $key:ident: $Type:ty),+ $(,)? })+) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Debug)]
            pub struct $Section { $($(#[$about])* pub $key: $Type),+ }

            impl $Section {
                const NAME: &str = name!($section $($name)?);
            }
        )+

        /// All settings, typed and valid.
        #[derive(Clone, Debug)]
        pub struct Settings {
            /// The folder that holds everything the server keeps: database, working folders, secrets.
            pub data_dir: PathBuf,
            /// The program that is started where a process of our own is needed: this one. No key sets it.
            pub program: PathBuf,
            /// A settings file that does not lie there.
            pub file: Option<PathBuf>,
            $($(#[$doc])* pub $section: $Section),+
        }

        impl Settings {
            /// Reads every key, so that every mistake is found, then puts them together.
            pub(super) fn read(data_dir: &Path, layers: &Layers, faults: &mut Vec<SettingFault>) -> Option<Self> {
                $(
                    $(let $key: Option<$Type> = layers.read(&format!("{}.{}", $Section::NAME, stringify!($key)), faults);)+
                    let $section = (|| Some($Section { $($key: $key?),+ }))();
                )+
                let program = PathBuf::from(THIS_PROGRAM);
                Some(Self { data_dir: data_dir.to_owned(), program, file: None, $($section: $section?),+ })
            }

            /// Every key and its value as TOML, secrets masked.
            pub(super) fn show(&self) -> Vec<(String, String)> {
                vec![$($((format!("{}.{}", $Section::NAME, stringify!($key)), self.$section.$key.show())),+),+]
            }
        }
    };
}

sections! {
    /// The HTTP server.
    server: Server {
        /// Where it listens.
        listen: Listen,
        /// Foreign origins that may send a user's cookie.
        external_origins: Origins,
        /// Proxies whose word on where a request comes from is taken.
        trusted_proxies: Networks,
        /// The zone in which dialects tell the time.
        time_zone: TimeZone,
        /// The largest body of a GraphQL request, which MANAGER and ADMIN may send.
        body_limit: Bytes,
        /// The largest of VIEWER.
        body_limit_viewer: Bytes,
        /// The largest of somebody who is not signed in.
        body_limit_stranger: Bytes,
        /// The largest at the doors of old clients.
        body_limit_dialects: Bytes,
        /// The most of a log or a result that one page has.
        page_bytes: Bytes,
        /// How long one request may take.
        request_timeout: Duration,
        /// How long the headers of a request may take.
        header_timeout: Duration,
        /// How long a connection may ask nothing.
        idle_timeout: Duration,
        /// Open connections.
        max_connections: u32,
        /// Open connections of one address.
        max_connections_per_address: u32,
        /// Open subscriptions, over all connections.
        max_subscriptions: u32,
        /// Those of one user.
        user_subscriptions: u32,
        /// WebSockets of one user.
        user_sockets: u32,
        /// An empty database gets examples.
        demo: bool,
    }
    /// The database.
    database: Database {
        /// PostgreSQL; none: SQLite in the data folder.
        url: Option<DatabaseUrl>,
        /// Readers of requests (SQLite) or all connections (PostgreSQL).
        max_connections: u32,
        /// How long to wait for a free connection, or for a locked file.
        acquire_timeout: Duration,
        /// The schema is brought up to date at start.
        migrate: bool,
    }
    /// The worker inside the server.
    worker: Worker {
        /// Subtasks that run at a time.
        slots: Slots,
        /// Its name in lists.
        name: WorkerName,
        /// What it offers.
        labels: Vec<String>,
        /// How long a claim holds without a sign of life.
        lease: Duration,
        /// How often that sign is given.
        renew: Duration,
        /// Between TERM and KILL.
        grace: Duration,
        /// What running subtasks are given at shutdown.
        shutdown_grace: Patience,
        /// How process trees are held together.
        process_tree: ProcessTree,
        /// Where the folders of attempts are; none: beside the data folder.
        folder: Option<PathBuf>,
        /// The most that one of them may take.
        folder_limit: Bytes,
        /// How steps are held apart from the server and each other.
        isolation: Isolation,
        /// The user of steps.
        run_as: SystemAccount,
        /// Users whom a definition may name instead.
        users: Vec<String>,
        /// What strictly held steps reach.
        paths: Vec<String>,
    }
    /// The data folder's disk.
    data: Data {
        /// What is kept in reserve.
        reserve: Option<Bytes>,
    }
    /// How far the executor `http` may go.
    executor_http = "executor.http": HttpExecutor {
        /// Networks that it may speak to though they are not public.
        allow: Networks,
        /// One try.
        timeout: Duration,
        /// The most that is kept of an answer.
        response: Bytes,
    }
    /// How far the executor `sql` may go.
    executor_sql = "executor.sql": SqlExecutor {
        /// The folder of SQLite's files; none: there are none.
        sqlite_folder: Option<PathBuf>,
        /// A connection to a data source.
        connect_timeout: Duration,
        /// The most memory of the process of one step's statements.
        memory: Bytes,
        /// The largest value, and the largest row.
        cell: Bytes,
    }
    /// Result sets of attempts.
    result: Results {
        /// The most rows of one set.
        rows: u32,
        /// The most that all sets of one attempt may have.
        size: Bytes,
    }
    /// Logs of attempts.
    log: Log {
        /// The most that is kept of one.
        limit: Bytes,
        /// In chunks of this size.
        chunk: Bytes,
        /// A line is written at this age.
        flush: Duration,
    }
    /// What is removed, and when; none: never.
    retention: Retention {
        /// Working folders of ended attempts, with what these left in them.
        attempt_folders: Option<Duration>,
        /// Ended tasks with all that belongs to them.
        finished_tasks: Option<Duration>,
        /// Events.
        events: Option<Duration>,
        /// Result sets.
        result_sets: Option<Duration>,
        /// Who did what.
        audit: Option<Duration>,
        /// Lives of workers that have ended.
        workers: Option<Duration>,
    }
    /// Sign-in.
    auth: Auth {
        /// A session unused for so long has ended.
        session_idle: Duration,
        /// The life of a token whose maker names none; none: for ever.
        token_expiry: Option<Duration>,
    }
    /// Limits of one GraphQL document.
    graphql: Graphql {
        /// Its length.
        document: Bytes,
        /// Its tokens.
        tokens: u32,
        /// Brackets within brackets.
        nesting: u32,
        /// Fields within fields.
        depth: u32,
        /// Fields, fragments resolved.
        selections: u32,
        /// Aliases, fragments resolved.
        aliases: u32,
        /// Its cost.
        complexity: u32,
        /// Objects of its answer.
        objects: u32,
        /// What these take in memory.
        answer: Bytes,
        /// Objects of all answers to one user within a minute.
        objects_per_minute: u32,
        /// What these take.
        answer_per_minute: Bytes,
    }
    /// Limits of a document of somebody who has not signed in.
    strangers = "graphql.strangers": Strangers {
        /// Its length.
        document: Bytes,
        /// Its tokens.
        tokens: u32,
        /// Fields within fields.
        depth: u32,
        /// Fields, fragments resolved.
        selections: u32,
        /// Aliases, fragments resolved.
        aliases: u32,
        /// Fields of an operation itself.
        roots: u32,
        /// Directives, fragments resolved.
        directives: u32,
        /// Variables.
        variables: u32,
    }
    /// The tasks of vCenters.
    vsphere: Vsphere {
        /// Whether this server collects.
        collect: bool,
        /// The language of a vCenter's texts, and of operations in the dialect.
        locale: Locale,
        /// Whether a vCenter may be spoken to without encryption.
        allow_http: bool,
    }
    /// The dialect of OceanBase Cloud Platform.
    ocp = "dialects.ocp": Ocp {
        /// What somebody without credentials may do.
        anonymous_role: AnonymousRole,
    }
    /// The dialect of Apache Linkis.
    linkis = "dialects.linkis": Linkis {
        /// What somebody without credentials may do.
        anonymous_role: AnonymousRole,
    }
    /// The dialect of a platform's vSphere task lists.
    vsphere_dialect = "dialects.vsphere": VsphereDialect {
        /// What somebody without credentials may do.
        anonymous_role: AnonymousRole,
    }
    /// What the server says of itself.
    telemetry: Telemetry {
        /// The form of log lines.
        format: Format,
        /// Which of them are written.
        level: Filter,
    }
}
