// What aws-sdk-go-v2 makes of a profile: prints JSON. With a second word it also asks STS who that is.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

type found struct {
	AccessKeyID     string `json:"accessKeyId"`
	SecretAccessKey string `json:"secretAccessKey"`
	SessionToken    string `json:"sessionToken"`
	Region          string `json:"region"`
	Arn             string `json:"arn"`
}

func ask(ctx context.Context, profile string, who bool) (found, error) {
	cfg, err := config.LoadDefaultConfig(ctx, config.WithSharedConfigProfile(profile))
	if err != nil {
		return found{}, err
	}
	keys, err := cfg.Credentials.Retrieve(ctx)
	if err != nil {
		return found{}, err
	}
	answer := found{keys.AccessKeyID, keys.SecretAccessKey, keys.SessionToken, cfg.Region, ""}
	if !who {
		return answer, nil
	}
	identity, err := sts.NewFromConfig(cfg).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err == nil {
		answer.Arn = *identity.Arn
	}
	return answer, err
}

func main() {
	answer, err := ask(context.Background(), os.Args[1], len(os.Args) > 2)
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(answer)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
