//! A small disk of its own: a tmpfs that can be filled, emptied and made read-only. Needs root, or `sudo` without a password.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

pub(crate) struct Tmpfs {
    // Unmounted before it is removed.
    dir: TempDir,
}

fn as_root(arguments: &[&str]) -> bool {
    let run = |program: &str, arguments: &[&str]| {
        Command::new(program).args(arguments).output().is_ok_and(|output| output.status.success())
    };
    run(arguments[0], &arguments[1..]) || run("sudo", &[&["--non-interactive"], arguments].concat())
}

impl Tmpfs {
    /// A disk of so many KiB.
    pub(crate) fn mount(kib: u32) -> Tmpfs {
        let dir = TempDir::new().unwrap();
        let options = format!("size={kib}k,mode=777");
        let mounted = as_root(&["mount", "-t", "tmpfs", "-o", &options, "tmpfs", dir.path().to_str().unwrap()]);
        assert!(mounted, "a test of a full disk mounts one: it needs root, or sudo without a password");
        Tmpfs { dir }
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    /// A folder on it that the PostgreSQL server may use.
    pub(crate) fn folder_of_postgres(&self) -> PathBuf {
        let folder = self.path().join("space");
        std::fs::create_dir(&folder).unwrap();
        as_root(&["chown", "postgres", folder.to_str().unwrap()]);
        folder
    }

    /// Uses up all that is left.
    pub(crate) fn fill(&self) {
        let mut file = std::fs::File::create(self.path().join("filler")).unwrap();
        for size in [65_536, 4096, 1] {
            while file.write_all(&vec![0; size]).is_ok() {}
        }
    }

    /// Gives it back.
    pub(crate) fn empty(&self) {
        std::fs::remove_file(self.path().join("filler")).unwrap();
    }

    pub(crate) fn make_read_only(&self) {
        assert!(as_root(&["mount", "-o", "remount,ro", self.path().to_str().unwrap()]));
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        as_root(&["umount", "--lazy", self.path().to_str().unwrap()]);
    }
}
