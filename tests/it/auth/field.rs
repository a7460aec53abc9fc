//! Every field of the roots, with who may ask for it.

use taskloom_entity::Role;

use super::bench::id;

/// A field, asked for about certain things.
pub(super) struct Field {
    pub(super) name: &'static str,
    /// Who may; none: everybody.
    pub(super) role: Option<Role>,
    pub(super) document: String,
    /// The verb in the audit log; none: it changes nothing.
    pub(super) action: Option<String>,
}

/// What the fields are asked about.
pub(super) struct Things {
    pub(super) user: String,
    pub(super) tenant: String,
    pub(super) token: String,
    pub(super) task: String,
    pub(super) subtask: String,
    pub(super) definition: String,
    pub(super) secret: String,
    pub(super) source: String,
    pub(super) vcenter: String,
    pub(super) vsphere_task: String,
    pub(super) name: String,
}

impl Things {
    /// None of these is: who is let through finds nothing and breaks nothing.
    pub(super) fn unknown() -> Self {
        const NUMBER: i64 = 999_999;
        let id = |kind| id(kind, NUMBER);
        Self {
            user: id("User"),
            tenant: id("Tenant"),
            token: id("Token"),
            task: id("Task"),
            subtask: id("Subtask"),
            definition: id("Definition"),
            secret: id("Secret"),
            source: id("DataSource"),
            vcenter: id("Vcenter"),
            vsphere_task: id("VsphereTask"),
            name: "nothing".into(),
        }
    }
}

const SPEC: &str = "spec: {name: \"a\", subtasks: [{name: \"b\", run: {noop: {}}}]}";

/// Every question. One that is about a thing names it.
pub(super) fn questions(of: &Things) -> Vec<Field> {
    let viewer = Some(Role::Viewer);
    let ask = |name, role, arguments: &str, selection: &str| {
        let document = format!("{{ {name}{arguments} {{ {selection} }} }}");
        Field { name, role, document, action: None }
    };
    let by = |id: &str| format!("(id: \"{id}\")");
    vec![
        ask("me", None, "", "id"),
        ask("viewer", None, "", "role tenants { id }"),
        ask("now", viewer, "", "cursor"),
        ask("user", viewer, &by(&of.user), "id tenants { id }"),
        ask("users", viewer, &format!("(filter: {{tenantId: \"{}\"}})", of.tenant), "totalCount nodes { id }"),
        ask("tenant", viewer, &by(&of.tenant), "id"),
        ask("tenants", viewer, "", "totalCount nodes { id }"),
        ask("tokens", viewer, &format!("(filter: {{userId: \"{}\"}})", of.user), "totalCount nodes { id user { id } }"),
        ask("audit", Some(Role::Admin), "", "totalCount nodes { id user { id } tenant { id } }"),
        ask("node", viewer, &by(&of.task), "__typename id"),
        ask(
            "nodes",
            viewer,
            &format!(
                "(ids: [\"{}\", \"{}\", \"{}\", \"{}\", \"{}\", \"{}\"])",
                of.user, of.tenant, of.token, of.task, of.subtask, of.definition
            ),
            "__typename id",
        ),
        ask("task", viewer, &by(&of.task), "id"),
        ask("tasks", viewer, &format!("(filter: {{tenantId: \"{}\"}})", of.tenant), "totalCount nodes { id }"),
        ask("allTasks", viewer, &format!("(filter: {{tenantId: \"{}\"}})", of.tenant), "nodes { id }"),
        ask("taskPage", viewer, &format!("(filter: {{tenantId: \"{}\"}})", of.tenant), "totalCount nodes { id }"),
        ask("subtask", viewer, &by(&of.subtask), "id log { nextLine } resultSets { number rows }"),
        ask("previewOperation", viewer, &format!("(id: \"{}\", operation: CANCEL)", of.task), "ends"),
        ask("definition", viewer, &format!("(name: \"{}\")", of.name), "id"),
        ask("definitions", viewer, &format!("(versionsOf: \"{}\")", of.name), "nodes { id }"),
        ask("workers", viewer, "", "id"),
        ask("dataSources", Some(Role::Manager), "", "totalCount nodes { id tenant { id } }"),
        ask("vcenters", viewer, "", "totalCount nodes { id tenant { id } collection { state } }"),
        ask("vcenter", viewer, &format!("(uuid: \"{}\")", of.name), "id collection { state } recentTasks { id }"),
        ask("vsphereTasks", viewer, &format!("(filter: {{tenantId: \"{}\"}})", of.tenant), "totalCount nodes { id }"),
        ask("vsphereTask", viewer, &by(&of.vsphere_task), "id vcenter { id }"),
        ask("secrets", Some(Role::Admin), "", "totalCount nodes { id tenant { id } }"),
    ]
}

/// Every change. One that is about a thing names it; `run` makes the names of new things differ.
pub(super) fn changes(of: &Things, run: usize) -> Vec<Field> {
    let (viewer, manager, admin) = (Some(Role::Viewer), Some(Role::Manager), Some(Role::Admin));
    let change = |name, role, arguments: &str, selection: &str, action: &str| {
        let document = format!("mutation {{ {name}({arguments}) {{ {selection} }} }}");
        Field { name, role, document, action: Some(action.into()) }
    };
    let input = |text: &str| format!("input: {{{text}}}");
    let on = |id: &str| format!("input: {{id: \"{id}\"}}");
    let of_user = |more: &str| format!("input: {{id: \"{}\", {more}}}", of.user);
    let member = format!("input: {{id: \"{}\", userId: \"{}\"}}", of.tenant, of.user);
    let all = format!("filter: {{tenantId: \"{}\"}}", of.tenant);
    let mut fields = vec![
        change("createUser", admin, &input(&format!("name: \"new{run}\", role: VIEWER")), "user { id }", "user.create"),
        change("setUserPassword", admin, &of_user("password: \"long enough\""), "user { id }", "user.setPassword"),
        change("setUserRole", admin, &of_user("role: VIEWER"), "user { id }", "user.setRole"),
        change("disableUser", admin, &on(&of.user), "user { id }", "user.disable"),
        change("enableUser", admin, &on(&of.user), "user { id }", "user.enable"),
        change("deleteUser", admin, &on(&of.user), "user { id }", "user.delete"),
        change("createTenant", admin, &input(&format!("name: \"new{run}\"")), "tenant { id }", "tenant.create"),
        change("addTenantMember", admin, &member, "tenant { id }", "tenant.addMember"),
        change("removeTenantMember", admin, &member, "tenant { id }", "tenant.removeMember"),
        change("createToken", viewer, &input("name: \"new\", role: VIEWER"), "token { role }", "token.create"),
        change("revokeToken", viewer, &on(&of.token), "token { id }", "token.revoke"),
        change("login", None, &input("name: \"nobody\", password: \"wrong\""), "user { id }", "session.login"),
        Field {
            name: "logout",
            role: viewer,
            document: "mutation { logout { user { id } } }".into(),
            action: Some("session.logout".into()),
        },
        change(
            "submitTask",
            manager,
            &input(&format!("definitionId: \"{}\"", of.definition)),
            "task { id }",
            "task.submit",
        ),
        change(
            "saveDefinition",
            manager,
            &input(&format!("{SPEC}, tenantId: \"{}\"", of.tenant)),
            "definition { name }",
            "definition.save",
        ),
        change("deleteDefinition", manager, &on(&of.definition), "definition { id }", "definition.delete"),
        change(
            "putSecret",
            admin,
            &input(&format!("name: \"new{run}\", value: \"swordfish\", tenantId: \"{}\"", of.tenant)),
            "secret { id }",
            "secret.put",
        ),
        change(
            "putDataSource",
            admin,
            &input(&format!("name: \"new{run}\", kind: SQLITE, database: \"x.db\", tenantId: \"{}\"", of.tenant)),
            "dataSource { id }",
            "dataSource.put",
        ),
        change("deleteDataSource", admin, &on(&of.source), "dataSource { id }", "dataSource.delete"),
        change("testDataSource", admin, &on(&of.source), "ok", "dataSource.test"),
        change("deleteSecret", admin, &on(&of.secret), "secret { id }", "secret.delete"),
        change("deleteTask", manager, &on(&of.task), "deletedId", "task.delete"),
        change("deleteTasks", manager, &all, "tasks { id } refused { id }", "task.delete"),
    ];
    fields.extend(changes_of_vcenters(of, run));
    for (name, verb) in [("retrySubtask", "retry"), ("skipSubtask", "skip"), ("cancelSubtask", "cancel")] {
        fields.push(change(name, manager, &on(&of.subtask), "subtask { id }", &format!("subtask.{verb}")));
    }
    for (name, bulk, verb) in [
        ("retryTask", "retryTasks", "retry"),
        ("rollbackTask", "rollbackTasks", "rollback"),
        ("cancelTask", "cancelTasks", "cancel"),
        ("pauseTask", "pauseTasks", "pause"),
        ("resumeTask", "resumeTasks", "resume"),
    ] {
        fields.push(change(name, manager, &on(&of.task), "task { id }", &format!("task.{verb}")));
        fields.push(change(bulk, manager, &all, "tasks { id } refused { id }", &format!("task.{verb}")));
    }
    fields
}

/// Every change of vCenters and their tasks.
fn changes_of_vcenters(of: &Things, run: usize) -> Vec<Field> {
    let change = |name, role, arguments: &str, selection: &str, action: &str| {
        let document = format!("mutation {{ {name}({arguments}) {{ {selection} }} }}");
        Field { name, role: Some(role), document, action: Some(action.into()) }
    };
    let (manager, admin) = (Role::Manager, Role::Admin);
    let input = |text: &str| format!("input: {{{text}}}");
    let on = |id: &str| format!("input: {{id: \"{id}\"}}");
    vec![
        change(
            "putVcenter",
            admin,
            &input(&format!(
                "name: \"new{run}\", address: \"127.0.0.1:1\", user: \"u\", password: \"p\", collect: false, tenantId: \"{}\"",
                of.tenant
            )),
            "vcenter { id }",
            "vcenter.put",
        ),
        change("testVcenter", admin, &input("address: \"127.0.0.1:1\""), "ok", "vcenter.test"),
        change("deleteVcenter", admin, &on(&of.vcenter), "vcenter { id }", "vcenter.delete"),
        change("cancelVsphereTask", manager, &on(&of.vsphere_task), "vsphereTask { id }", "vsphereTask.cancel"),
    ]
}

/// Every subscription.
pub(super) fn subscriptions(of: &Things) -> Vec<Field> {
    let follow = |name, document: String| Field { name, role: Some(Role::Viewer), document, action: None };
    vec![
        follow("taskChanged", "subscription { taskChanged { __typename } }".into()),
        follow("taskProgress", format!("subscription {{ taskProgress(taskId: \"{}\") {{ __typename }} }}", of.task)),
        follow(
            "vsphereTaskChanged",
            format!("subscription {{ vsphereTaskChanged(vcenterId: \"{}\") {{ __typename }} }}", of.vcenter),
        ),
        follow("subtaskLog", format!("subscription {{ subtaskLog(subtaskId: \"{}\") {{ nextLine }} }}", of.subtask)),
    ]
}
