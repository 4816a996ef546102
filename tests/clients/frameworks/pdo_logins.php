<?php
// Fifty logins at once through PDO, each a process, half of them inside a transaction. Prints how many failed, and one
// more if a taken id that the application chose does not fail as docs/frameworks/pdo.md says.

require getenv('HOOK');

const LOGINS = 50;
const KEY = ['public', 'user_sessions', 'user_sessions_pkey'];

function connection(): PDO
{
    [, $host, $port, $name, $user] = $GLOBALS['argv'];
    return new PDO("pgsql:host=$host;port=$port;dbname=$name", $user);
}

function log_in(PDO $connection, int $number): void
{
    $insert = 'INSERT INTO user_sessions (user_id) VALUES (?) RETURNING session_id';
    if ($number % 2) {
        $connection->beginTransaction();
    }
    if (insert($connection, $insert, [$number], KEY)->fetchColumn() < 1) {
        throw new Exception('no id');
    }
    if ($number % 2) {
        $connection->commit();
    }
}

// A login starts at the end of the pipe.
$pipe = stream_socket_pair(STREAM_PF_UNIX, STREAM_SOCK_STREAM, 0);
$processes = [];
for ($number = 0; $number < LOGINS; $number++) {
    $process = pcntl_fork();
    if ($process === 0) {
        fclose($pipe[0]);
        try {
            $connection = connection();
            fread($pipe[1], 1);
            log_in($connection, $number);
            exit(0);
        } catch (Throwable $error) {
            fwrite(STDERR, "$error\n");
            exit(1);
        }
    }
    $processes[] = $process;
}
fclose($pipe[1]);
usleep(100_000);
fclose($pipe[0]);
$failed = 0;
foreach ($processes as $process) {
    pcntl_waitpid($process, $status);
    $failed += pcntl_wexitstatus($status);
}

$connection = connection();
$connection->beginTransaction();
try {
    insert($connection, 'INSERT INTO user_sessions VALUES (2, ?)', [1], KEY);
    $asDocumented = false;
} catch (PDOException $error) {
    $asDocumented = $error->errorInfo[0] === '23505' && str_contains($error->errorInfo[2], 'user_sessions_pkey');
    $connection->exec('SELECT 1');
}
if (!$asDocumented) {
    fwrite(STDERR, "a taken id does not fail as documented\n");
}
echo $failed + ($asDocumented ? 0 : 1), "\n";
