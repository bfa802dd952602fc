//! A disk that answers nothing: a FUSE file system whose server does not serve. Needs root and `/dev/fuse`.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

pub(crate) struct HungDisk {
    server: Child,
    // Unmounted before it is removed: a test that looks into it would hang as well.
    dir: TempDir,
}

impl HungDisk {
    /// None where this machine does not let us.
    pub(crate) fn mount() -> Option<HungDisk> {
        let dir = TempDir::new().unwrap();
        let options = "fd=3,rootmode=40000,user_id=0,group_id=0";
        let script =
            format!("exec 3<>/dev/fuse && mount -i -t fuse -o {options} hung \"$0\" && echo mounted && read wait");
        let mut command = Command::new("bash");
        let command = command.args(["-c", &script]).arg(dir.path()).stderr(Stdio::null());
        let mut server = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut said = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut said).unwrap();
        let disk = HungDisk { server, dir };
        (said == "mounted\n").then_some(disk)
    }

    /// The path of a file on it.
    pub(crate) fn file(&self, name: &str) -> String {
        format!("{}/{name}", self.dir.path().display())
    }
}

impl Drop for HungDisk {
    fn drop(&mut self) {
        // With its server's end all that wait for it are told that it is gone.
        drop(self.server.stdin.take());
        drop(self.server.wait());
        let _ = Command::new("umount").arg("--lazy").arg(self.dir.path()).output();
    }
}
