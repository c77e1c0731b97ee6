/* What multipathd is to its service and to mt-agent: it reads the configuration when it starts and, a moment after it was told
 * to, again; and it shows what it has read, as the real `multipath -t` prints it. The real one does not start where the kernel
 * has no device mapper. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define PIDFILE "/var/run/multipathd.pid"
#define SHOWN "/var/run/multipathd.shown"

static volatile sig_atomic_t told;

static void tell(int number)
{
	told = number;
}

/* A daemon that is killed leaves its multipath behind, which writes to a file of its own and replaces nothing. */
static void load(void)
{
	char own[64], command[128];

	snprintf(own, sizeof own, SHOWN ".%d", getpid());
	snprintf(command, sizeof command, "multipath -t >%s 2>/dev/null", own);
	if (system(command) || rename(own, SHOWN))
		_exit(1);
}

static int ask(int number)
{
	FILE *file = fopen(PIDFILE, "r");
	int pid;

	if (!file || fscanf(file, "%d", &pid) != 1 || kill(pid, number)) {
		fprintf(stderr, "error receiving packet\n");
		return 1;
	}
	return 0;
}

int main(int count, char **words)
{
	FILE *file;

	if (count == 2 && !strcmp(words[1], "-kshow config"))
		return ask(0) || system("cat " SHOWN);
	if (count == 2 && !strcmp(words[1], "reconfigure"))
		return ask(SIGHUP);
	if (count == 2 && !strcmp(words[1], "shutdown"))
		return ask(SIGTERM);
	if (count != 1 && !(count == 3 && !strcmp(words[1], "-d") && !strcmp(words[2], "-s"))) {
		fprintf(stderr, "multipathd: invalid option\n");
		return 1;
	}
	signal(SIGHUP, tell);
	/* Its parent does not wait for it, and it holds nobody's pipe. */
	if (daemon(0, 0))
		return 1;
	/* There is never a second one. */
	file = fopen(PIDFILE, "a+e");
	if (!file || flock(fileno(file), LOCK_EX | LOCK_NB) || ftruncate(fileno(file), 0))
		return 1;
	load();
	fprintf(file, "%d\n", getpid());
	fflush(file);
	for (;;) {
		if (!told)
			usleep(20000);
		if (told) {
			told = 0;
			usleep(300000);
			load();
		}
	}
}
