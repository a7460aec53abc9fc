//! The place where this server's steps run, as the settings want it: their folders, how they are held together and apart,
//! and how far they may go.

use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use tokio_util::sync::CancellationToken;

use crate::config::{self, ProcessTree, Settings};
use crate::executor::{
    self, Apart, Folders, Host, HostOptions, Isolation, OutboundPolicy, TreeChoice, TreeKind, Wanted,
};
use crate::room::DiskRoom;
use crate::{descriptors, resolver, supervise};

/// Makes it; with it the folder of attempts. What an earlier life of this server left is ended first.
///
/// # Errors
/// Whatever keeps steps from running as it is wanted.
pub(super) async fn make(settings: &Settings) -> anyhow::Result<(PathBuf, Host)> {
    let way = match settings.worker.process_tree {
        ProcessTree::Auto => TreeChoice::Best,
        ProcessTree::Cgroup => TreeChoice::Only(TreeKind::Cgroup),
        ProcessTree::Subreaper => TreeChoice::Only(TreeKind::Subreaper),
    };
    // A program may open as many files as the server could before it took more for itself.
    let options = HostOptions { data_folder: settings.data_dir.clone(), way, descriptors: descriptors::before() };
    let host = Host::detect(&options)?.with_policy(policy(settings)).limiting(Some(settings.worker.folder_limit.0));
    let reaper = host.orphan_reaper();
    // Ends with the host, after the last step: no stop is needed.
    tokio::spawn(supervise::again("reaper", CancellationToken::new(), move || reaper.clone().run()));
    let swept = host.sweep().await?;
    if swept.processes > 0 {
        tracing::warn!(processes = swept.processes, "processes that an earlier run left were ended");
    }
    let settings = settings.clone();
    let prepared = tokio::task::spawn_blocking(move || {
        let attempts = attempts(&settings)?;
        executor::forget_secrets(&attempts)?;
        room(&settings, &attempts, Arc::default()).make();
        let isolation = Isolation::detect(&wanted(&settings, &attempts))?;
        anyhow::Ok((attempts, isolation))
    });
    let (attempts, isolation) = prepared.await??;
    let host = host.holding_apart(isolation);
    tracing::info!("{}", host.describe());
    Ok((attempts, host))
}

/// The room on the disk that this server looks after.
pub(super) fn room(settings: &Settings, attempts: &Path, folders: Arc<Folders>) -> DiskRoom {
    let reserve = settings.data.reserve.map(|bytes| bytes.0);
    DiskRoom { data: settings.data_dir.clone(), attempts: attempts.to_owned(), reserve, folders }
}

/// The folder of attempts, made for its owner to list and for everybody to pass through; what lay at its former place is
/// moved there.
fn attempts(settings: &Settings) -> anyhow::Result<PathBuf> {
    let former = settings.data_dir.join("attempts");
    let wanted = settings.attempts();
    let cannot = || format!("cannot make worker.folder {}", wanted.display());
    match open(&wanted) {
        Ok(()) => {}
        Err(error) if settings.worker.folder.is_some() => return Err(anyhow::Error::new(error).context(cannot())),
        // Such as a volume of a container, beside which nothing can be made.
        Err(error) => {
            tracing::warn!(folder = %wanted.display(), %error, "folders of attempts lie in the data folder: set worker.folder");
            open(&former).with_context(cannot)?;
            return Ok(former);
        }
    }
    executor::forget_secrets(&former)?;
    move_all(&former, &wanted).with_context(|| format!("cannot empty {}", former.display()))?;
    Ok(wanted)
}

fn open(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o711).create(folder)?;
    // The mask of the process may have taken something away.
    fs::set_permissions(folder, Permissions::from_mode(0o711))
}

/// Moves what is in a folder to another, or removes what cannot be moved: it was left by attempts that have ended.
fn move_all(from: &Path, to: &Path) -> io::Result<()> {
    let entries = match fs::read_dir(from) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        if fs::rename(entry.path(), to.join(entry.file_name())).is_err() {
            fs::remove_dir_all(entry.path())?;
        }
    }
    fs::remove_dir(from)
}

fn wanted(settings: &Settings, attempts: &Path) -> Wanted {
    let worker = &settings.worker;
    Wanted {
        apart: match worker.isolation {
            config::Isolation::Auto => Apart::Auto,
            config::Isolation::User => Apart::User,
            config::Isolation::None => Apart::None,
            config::Isolation::Strict => Apart::Strict,
        },
        run_as: worker.run_as.0.clone(),
        users: worker.users.clone(),
        paths: worker.paths.iter().map(|path| place(path)).collect(),
        data: settings.data_dir.clone(),
        settings: settings.file.clone(),
        attempts: attempts.to_owned(),
    }
}

/// `/usr`, or `/srv:rw` where steps may write.
fn place(path: &str) -> (PathBuf, bool) {
    path.strip_suffix(":rw").map_or_else(|| (path.into(), false), |path| (path.into(), true))
}

/// How far works without a process may go, by the settings.
pub(super) fn policy(settings: &Settings) -> OutboundPolicy {
    let (http, sql, result) = (&settings.executor_http, &settings.executor_sql, &settings.result);
    OutboundPolicy {
        networks: http.allow.0.clone(),
        request_timeout: http.timeout,
        response: http.response.0,
        sqlite_folder: sql.sqlite_folder.clone(),
        connect_timeout: sql.connect_timeout,
        program: settings.program.clone(),
        memory: sql.memory.0,
        cell: sql.cell.0,
        rows: result.rows.into(),
        result: result.size.0,
        plain_vcenters: settings.vsphere.allow_http,
        locale: resolver::vsphere::label::locale(settings.vsphere.locale.0),
    }
}
