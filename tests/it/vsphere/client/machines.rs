//! Work on virtual machines: what is sent, and how machines and snapshots are found.

use taskloom::vsphere::{CloneTo, Error, Reconfigure, Reference, Session};

use super::server::{Received, Server};
use super::vcenter::{answer, session, start};

const MACHINE: &str = "vm-57";

/// Answers a task for every method that has one.
fn tasks(request: &Received) -> Option<String> {
    let method = request.method();
    method.ends_with("_Task").then(|| answer(method, "<returnval type=\"Task\">task-9</returnval>"))
}

async fn ready() -> (Server, Session, Reference) {
    let server = start(tasks);
    let session = session(&server).await;
    (server, session, Reference::new("VirtualMachine", MACHINE))
}

/// What the last call had in it behind `_this`.
fn sent(server: &Server) -> String {
    let body = server.received().pop().unwrap().body;
    let (_, body) = body.split_once("<soapenv:Body>").unwrap();
    let body = body.replace(" xmlns=\"urn:vim25\"", "").replace("</soapenv:Body></soapenv:Envelope>", "");
    body.replace("<_this type=\"VirtualMachine\">vm-57</_this>", "-")
}

#[tokio::test]
async fn power() {
    let (server, session, machine) = ready().await;
    assert_eq!(session.power_on(&machine).await.unwrap(), Reference::task("task-9"));
    assert_eq!(sent(&server), "<PowerOnVM_Task>-</PowerOnVM_Task>");
    session.power_off(&machine).await.unwrap();
    session.suspend(&machine).await.unwrap();
    session.reset(&machine).await.unwrap();
    session.destroy(&machine).await.unwrap();
    assert_eq!(server.methods()[3..], ["PowerOffVM_Task", "SuspendVM_Task", "ResetVM_Task", "Destroy_Task"]);
}

#[tokio::test]
async fn snapshots() {
    let (server, session, machine) = ready().await;
    session.create_snapshot(&machine, "a & b", "", false, true).await.unwrap();
    let fields = "<name>a &amp; b</name><description></description><memory>false</memory><quiesce>true</quiesce>";
    assert_eq!(sent(&server), format!("<CreateSnapshot_Task>-{fields}</CreateSnapshot_Task>"));
    let snapshot = Reference::new("VirtualMachineSnapshot", "snapshot-73");
    session.revert(&snapshot).await.unwrap();
    session.revert_to_current_snapshot(&machine).await.unwrap();
    assert_eq!(sent(&server), "<RevertToCurrentSnapshot_Task>-</RevertToCurrentSnapshot_Task>");
    session.remove_snapshot(&snapshot, true).await.unwrap();
    assert!(sent(&server).ends_with("snapshot-73</_this><removeChildren>true</removeChildren></RemoveSnapshot_Task>"));
}

#[tokio::test]
async fn reconfigures_and_clones_in_the_definitions_order() {
    let (server, session, machine) = ready().await;
    let change = Reconfigure { cpus: Some(4), memory_mb: Some(8192), ..Reconfigure::default() };
    let change = Reconfigure { annotation: Some("x".into()), name: Some("<n>".into()), ..change };
    session.reconfigure(&machine, &change).await.unwrap();
    let spec = "<name>&lt;n&gt;</name><annotation>x</annotation><numCPUs>4</numCPUs><memoryMB>8192</memoryMB>";
    assert_eq!(sent(&server), format!("<ReconfigVM_Task>-<spec>{spec}</spec></ReconfigVM_Task>"));
    let folder = Reference::new("Folder", "folder-3");
    session.clone_vm(&machine, &folder, "copy", &CloneTo::default()).await.unwrap();
    let spec = "<location></location><template>false</template><powerOn>false</powerOn>";
    let fields = format!("<folder type=\"Folder\">folder-3</folder><name>copy</name><spec>{spec}</spec>");
    assert_eq!(sent(&server), format!("<CloneVM_Task>-{fields}</CloneVM_Task>"));
    let place = |kind: &str, value: &str| Some(Reference::new(kind, value));
    let to = CloneTo {
        power_on: true,
        template: true,
        host: place("HostSystem", "h"),
        datastore: place("Datastore", "d"),
        pool: place("ResourcePool", "p"),
    };
    session.clone_vm(&machine, &folder, "copy", &to).await.unwrap();
    let spec = "<location><datastore type=\"Datastore\">d</datastore><pool type=\"ResourcePool\">p</pool>\
                <host type=\"HostSystem\">h</host></location><template>true</template><powerOn>true</powerOn>";
    assert!(sent(&server).contains(&format!("<spec>{spec}</spec>")), "{}", sent(&server));
}

fn machine(key: &str, name: &str) -> String {
    let property = |name: &str, kind: &str, value: &str| {
        format!("<propSet><name>{name}</name><val xsi:type=\"{kind}\">{value}</val></propSet>")
    };
    let host = property("runtime.host", "ManagedObjectReference\" type=\"HostSystem", "host-9");
    let name = property("name", "xsd:string", name);
    format!("<objects><obj type=\"VirtualMachine\">{key}</obj>{name}{host}</objects>")
}

fn finding(request: &Received) -> Option<String> {
    let method = request.method();
    let inside = match method {
        "CreateContainerView" => "<returnval type=\"ContainerView\">v</returnval>".into(),
        "RetrievePropertiesEx" if request.body.contains(">v</obj>") => {
            let all = [machine("vm-1", "twin"), machine("vm-2", "twin"), machine("vm-3", "a%2fb")].concat();
            format!("<returnval>{all}</returnval>")
        }
        "RetrievePropertiesEx" if request.body.contains(">vm-3</obj>") => {
            format!("<returnval>{}</returnval>", machine("vm-3", "a%2fb"))
        }
        "FindAllByUuid" if request.body.contains("<instanceUuid>true<") => {
            "<returnval type=\"VirtualMachine\">vm-3</returnval>".into()
        }
        "FindAllByUuid" | "DestroyView" => String::new(),
        "RetrievePropertiesEx" => return Some(super::fixture!("recorded/105-task-not-found").into()),
        _ => return None,
    };
    Some(answer(method, &inside))
}

#[tokio::test]
async fn finds_machines_by_key_uuid_and_name() {
    let server = start(finding);
    let session = session(&server).await;
    for text in ["VirtualMachine:vm-3", "vm-3", "420a1b2c-0000-4000-8000-00000000000f", "a/b"] {
        let found = session.find_vm(text).await.unwrap().unwrap();
        assert_eq!((found.reference.value.as_str(), found.name.as_str()), ("vm-3", "a/b"), "{text}");
        assert_eq!(found.host, Some(Reference::new("HostSystem", "host-9")));
    }
    for text in ["vm-9", "nobody"] {
        assert_eq!(session.find_vm(text).await.unwrap(), None);
    }
    assert!(matches!(session.find_vm("twin").await, Err(Error::Ambiguous { count: 2 })));
}

#[tokio::test]
async fn finds_snapshots_in_their_tree() {
    let leaf = |key: &str, name: &str, inside: &str| {
        format!(
            "<snapshot type=\"VirtualMachineSnapshot\">{key}</snapshot><vm type=\"VirtualMachine\">vm-57</vm>\
             <name>{name}</name><description>d</description><id>1</id><createTime>2026-03-02T08:15:04Z</createTime>\
             <state>poweredOff</state><quiesced>false</quiesced>{inside}"
        )
    };
    let child = format!("<childSnapshotList>{}</childSnapshotList>", leaf("snapshot-2", "after", ""));
    let root = format!("<rootSnapshotList>{}</rootSnapshotList>", leaf("snapshot-1", "before", &child));
    let twin = format!("<rootSnapshotList>{}</rootSnapshotList>", leaf("snapshot-3", "before", ""));
    let current = "<currentSnapshot type=\"VirtualMachineSnapshot\">snapshot-2</currentSnapshot>";
    let value = format!("<val xsi:type=\"VirtualMachineSnapshotInfo\">{current}{root}{twin}</val>");
    let objects = format!("<obj type=\"VirtualMachine\">vm-57</obj><propSet><name>snapshot</name>{value}</propSet>");
    let whole = answer("RetrievePropertiesEx", &format!("<returnval><objects>{objects}</objects></returnval>"));
    let server = start(move |request| (request.method() == "RetrievePropertiesEx").then(|| whole.clone()));
    let (session, machine) = (session(&server).await, Reference::new("VirtualMachine", MACHINE));
    let all = session.snapshots(&machine).await.unwrap();
    let shown = all.iter().map(|one| (one.name.as_str(), one.is_current)).collect::<Vec<_>>();
    assert_eq!(shown, [("before", false), ("after", true), ("before", false)]);
    assert_eq!(all[1].parent.as_ref(), Some(&all[0].reference));
    let after = session.find_snapshot(&machine, "after").await.unwrap().unwrap();
    assert_eq!(after.reference.value, "snapshot-2");
    assert!(session.find_snapshot(&machine, "never").await.unwrap().is_none());
    let twins = session.find_snapshot(&machine, "before").await;
    assert!(matches!(twins, Err(Error::Ambiguous { count: 2 })));
}
