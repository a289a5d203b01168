namespace SampleKit.CommandLine;

public static class ExitCode
{
    public const int Succeeded = 0;
    public const int Failed = 1;
    public const int Usage = 2;
    public const int Interrupted = 130;
}
