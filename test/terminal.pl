#!/usr/bin/perl
# A terminal: a tmux server of its own with one command in it, steered through tmux's control mode, in which one client
# sends commands and is told when something was written. So neither a key nor a look at the screen costs a process, and
# to wait costs nothing.
#   terminal.pl FOLDER COLUMNS ROWS COMMAND...
# Reads a request a line, and answers each with `ok` or `no`, the number of lines that follow, and these. In FOLDER lie
# the socket and `alive`, which everything holds open that runs in the terminal.
use strict;
use warnings;
use Fcntl;

my ($folder, $columns, $rows, @command) = @ARGV;
$ENV{TMUX_TMPDIR} = $folder;
$SIG{PIPE} = 'IGNORE';
$| = 1;

system('mkfifo', "$folder/alive") == 0 or die "no $folder/alive";
sysopen(my $alive, "$folder/alive", O_RDONLY | O_NONBLOCK) or die "alive: $!";
my @start = ('new-session', '-x', $columns, '-y', $rows, 'sh', '-c', 'exec "$@" 9>"$0"', "$folder/alive", @command);
# IPC::Open2 does the same, and to load it takes as long as all else here
pipe(my $asked, my $keys) && pipe(my $events, my $told) or die "no pipe: $!";
my $client = fork // die "no process: $!";
if ($client == 0) {
  open(STDIN, '<&', $asked) && open(STDOUT, '>&', $told) or die "no pipe: $!";
  exec('tmux', '-u', '-f', '/dev/null', '-C', @start) or die "no tmux: $!";
}
close $asked;
close $told;
my ($unread, @screen) = ('');

# The next line of tmux; undef when it does not come in time, or when tmux has ended.
sub next_line {
  my ($seconds) = @_;
  until ($unread =~ /\n/) {
    my $ready = '';
    vec($ready, fileno $events, 1) = 1;
    select($ready, undef, undef, $seconds) or return;
    sysread($events, $unread, 65536, length $unread) or return;
  }
  (my $line, $unread) = split /\n/, $unread, 2;
  return $line;
}

# The lines that a command prints; the first element says whether it succeeded.
sub answer {
  my ($line, @lines);
  do { $line = next_line(undef) // return 0 } until $line =~ s/^%begin //;
  while (defined(my $next = next_line(undef))) {
    return ($1 eq 'end', @lines) if $next =~ /^%(end|error) \Q$line\E$/;
    push @lines, $next;
  }
  return 0;
}

sub tmux {
  syswrite $keys, "$_[0]\n";
  return answer();
}

sub look {
  (undef, @screen) = tmux('capture-pane -p -J');
  s/ +$// for @screen;
  pop @screen while @screen && $screen[-1] eq '';
}

my $prompt = qr/[RP][0-9 -]+>/;

# Whether the last line is a prompt with nothing behind it.
sub is_prompt { return @screen && $screen[-1] =~ /^$prompt$/ }

# Facts to wait for; of a line that is looked for, what its groups are.
my %facts = (
  shows => sub {
    for (@screen) {
      if (my @groups = /$_[0]/) { return 1, @groups }
    }
    return;
  },
  prompt => \&is_prompt,
  prompts => sub { my ($count) = @_; is_prompt() && $count == grep { /^$prompt/ } @screen },
  clear => sub { 1 == grep { /./ } @screen },
  file => sub { -s $_[0] },
);

# Looks until the screen is so, again whenever something was written.
sub wait_for {
  my ($fact, $text) = @_;
  my $end = time + 60;
  for (;;) {
    look();
    my @found = $facts{$fact}->($text);
    return (1, map { $_ // '' } @found[1 .. $#found]) if $found[0];
    return (0, "not seen: $fact $text", '--- screen', @screen) if time >= $end;
    next unless defined next_line($fact eq 'file' ? 0.02 : 0.5);
    1 while defined next_line(0.002);
  }
}

sub end {
  syswrite $keys, "kill-server\n";
  1 while defined next_line(undef);
  waitpid $client, 0;
  # what ran there may still write in the home
  for (1 .. 3000) {
    my $read = sysread $alive, my $nothing, 1;
    last if defined $read && $read == 0;
    select undef, undef, undef, 0.02;
  }
  return 1;
}

sub type {
  my ($text) = @_;
  $text =~ s/'/'\\''/g;
  return tmux("send-keys -l -- '$text'");
}

my %requests = (
  tmux => \&tmux,
  type => \&type,
  press => sub { tmux("send-keys $_[0]") },
  enter => sub { (type(@_))[0] ? tmux('send-keys Enter') : 0 },
  wait => sub { wait_for(split / /, $_[0], 2) },
  count => sub { look(); my ($regex) = @_; (1, scalar grep { /$regex/ } @screen) },
  prompts => sub { look(); (1, scalar grep { /^$prompt/ } @screen) },
  screen => sub { look(); (1, @screen) },
  end => \&end,
);

sub respond {
  my ($isDone, @lines) = @_;
  print(($isDone ? 'ok ' : 'no ') . @lines . "\n", map { "$_\n" } @lines);
}

respond(answer());
while (defined(my $request = <STDIN>)) {
  chomp $request;
  my ($name, $text) = split / /, $request, 2;
  respond($requests{$name}->($text // ''));
  exit if $name eq 'end';
}
end();
